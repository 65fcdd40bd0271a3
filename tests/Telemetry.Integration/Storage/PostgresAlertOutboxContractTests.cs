using Telemetry.Storage.Alerts;
using Telemetry.Storage.Postgres;
using Telemetry.Storage.Postgres.Alerts;
using Telemetry.TestKit.Contracts;
using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.Storage;

/// <summary>The contract of the relay's side of the database, on PostgreSQL.</summary>
public sealed class PostgresAlertOutboxContractTests(PostgresFixture fixture)
    : AlertOutboxContract, IClassFixture<PostgresFixture>
{
    protected override async Task RunAsync(Func<IAlertOutboxUnderTest, Task> test)
    {
        await using var database = await PostgresDatabase.Create(fixture.ConnectionString);
        await using var outbox = new PostgresAlertOutbox(
            new PostgresStoreOptions { ConnectionString = database.ConnectionString });
        await test(new UnderTest(database, outbox));
    }

    private sealed class UnderTest(PostgresDatabase database, PostgresAlertOutbox outbox) : IAlertOutboxUnderTest
    {
        public IAlertOutbox Outbox => outbox;

        public async Task Append(params AlertOutboxRow[] rows)
        {
            await using var connection = await database.OpenConnection();
            await ScriptedOutbox.AppendAsync(connection, rows, default);
        }

        public Task PassTime(TimeSpan time) => database.Execute($"""
            UPDATE telemetry.relay SET lease_until = lease_until - interval '{(long)time.TotalMilliseconds} ms'
            WHERE lease_until > '-infinity';
            UPDATE telemetry.alert_outbox SET stored_at = stored_at - interval '{(long)time.TotalMilliseconds} ms'
            """);

        public Task Describe(string gateway, string device, string site) => database.Execute($"""
            INSERT INTO telemetry.device_metadata (gateway, device, site, time_zone) VALUES
                ('{gateway}', '{device}', '{site}', 'UTC'), ('{gateway}', 'fan', NULL, 'UTC')
            """);

        public Task<IReadOnlyList<string>> Orphans() =>
            database.Read("SELECT id FROM telemetry.alert_orphan ORDER BY id", r => r.GetString(0));
    }
}
