using Telemetry.Storage.Fleet;
using Telemetry.Storage.Postgres.Fleet;
using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.Storage;

/// <summary>Which of two words about a gateway counts, and what people read of it.</summary>
public sealed class PresenceTableTests(PostgresFixture fixture) : IClassFixture<PostgresFixture>
{
    private const long Then = 1_700_000_000_000_000;

    private const string Sql = "SELECT concat_ws('|', connected, extract(epoch FROM since)::bigint - 1700000000, "
        + "ingress, agent_version, clock_offset, clock_synchronised) FROM telemetry.presence";

    [ServersFact(postgres: true)]
    public async Task Newest_session_counts_and_the_end_of_an_older_one_does_not()
    {
        await using var database = await WithOwner();
        await using var table = new PresenceTable(database.ConnectionString);

        await Write(table, Row(1, 1, true, 0) with { Version = "1.0", ClockOffsetMicros = -1_500_000 });
        Assert.Equal("t|0|ingress 1|1.0|-00:00:01.5|f", await database.Row(Sql));
        await Write(table, Row(2, 1, true, 5));
        await Write(table, Row(1, 1, false, 9));
        Assert.Equal("t|5|ingress 2||f", await database.Row(Sql));
        await Write(table, Row(1, 7, true, 3));
        Assert.Equal("t|5|ingress 2||f", await database.Row(Sql));
        await Write(table, Row(2, 1, false, 8));
        Assert.Equal("f|8|ingress 2||f", await database.Row(Sql));
        await Write(table, Row(1, 7, true, 3));
        Assert.Equal("t|3|ingress 1||f", await database.Row(Sql));
    }

    [ServersFact(postgres: true)]
    public async Task Ingress_that_is_silent_takes_its_gateways_with_it_and_another_may_have_them()
    {
        await using var database = await WithOwner();
        await using var table = new PresenceTable(database.ConnectionString);
        await Write(table, Row(1, 1, true, 5));
        await database.Execute("UPDATE telemetry.ingress_run SET said_at = now() - interval '41 s'");

        Assert.Equal("f|t", await database.Row("SELECT left(connected::text, 1), left((since = said_at)::text, 1) "
            + "FROM telemetry.presence"));
        await Write(table, Row(2, 1, true, 0));
        Assert.Equal("t|0|ingress 2||f", await database.Row(Sql));
    }

    [ServersFact(postgres: true)]
    public async Task Nothing_is_concluded_from_silence_while_no_processor_works()
    {
        await using var database = await WithOwner();
        await using var table = new PresenceTable(database.ConnectionString);
        await Write(table, Row(1, 1, true, 5));

        await database.Execute("""
            UPDATE telemetry.ingress_run SET said_at = now() - interval '1 hour';
            UPDATE telemetry.partition SET lease_until = now() - interval '59 minutes 50 s'
            """);

        Assert.Equal("t|5|ingress 1||f", await database.Row(Sql));
    }

    [ServersFact(postgres: true)]
    public async Task Word_that_says_nothing_new_writes_nothing()
    {
        await using var database = await WithOwner();
        await using var table = new PresenceTable(database.ConnectionString);
        await Write(table, Row(1, 1, true, 5));
        var before = await database.Row("SELECT xmin || '|' || ctid FROM telemetry.gateway_presence");

        await Write(table, Row(1, 1, true, 5));

        Assert.Equal(before, await database.Row("SELECT xmin || '|' || ctid FROM telemetry.gateway_presence"));
    }

    private static PresenceRow Row(ulong run, long session, bool connected, long seconds) =>
        new("gw-1", run, session, connected, Then + (seconds * 1_000_000), "", null, false);

    private static Task Write(PresenceTable table, PresenceRow row) =>
        table.WriteAsync([new IngressRunRow(row.Run, $"ingress {row.Run}")], [row], default);

    private async Task<PostgresDatabase> WithOwner()
    {
        var database = await PostgresDatabase.Create(fixture.ConnectionString);
        await database.Store.TakeLeaseAsync(0, 1, "owner", TimeSpan.FromMinutes(5), default);
        return database;
    }
}
