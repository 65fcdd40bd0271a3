using Npgsql;
using Telemetry.Storage;
using Telemetry.Storage.Postgres.Partitions;
using static Telemetry.TestKit.Contracts.StoreSteps;

namespace Telemetry.Integration.Storage;

/// <summary>
/// Which holders of a partition are ended, beyond the contract: by what PostgreSQL says of their session.
/// </summary>
public sealed class SilentHolderTests(PostgresFixture fixture) : IClassFixture<PostgresFixture>
{
    private static readonly LiveWorker Me = new("b", 0, 1, 0);

    [PostgresFact]
    public async Task Holder_that_works_is_never_ended()
    {
        await using var database = await PostgresDatabase.Create(fixture.ConnectionString);
        await Take(database.Store);
        await using var connection = await Hold(database);
        await database.PassTime(Lease + Lease);
        await using var working = new NpgsqlCommand("SELECT pg_sleep(60)", connection);
        using var stop = new CancellationTokenSource();
        var work = working.ExecuteNonQueryAsync(stop.Token);

        LeaseHolder holder;
        while ((holder = await Holder(database)).WaitsForClient)
        {
            await database.Pause(); // The statement is on its way.
        }

        Assert.False(await database.Store.EndHolderAsync(0, holder with { WaitsForClient = true }, default));
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => work);
    }

    [PostgresFact]
    public async Task Holder_whose_lease_was_renewed_meanwhile_is_not_ended()
    {
        await using var database = await PostgresDatabase.Create(fixture.ConnectionString);
        await Take(database.Store);
        await using var connection = await Hold(database);
        await database.PassTime(Lease + Lease);
        var holder = await Holder(database);
        await database.PassTime(-Lease - Lease);

        Assert.False(await database.Store.EndHolderAsync(0, holder, default));
        await using var still = new NpgsqlCommand("SELECT 1", connection);
        Assert.Equal(1, await still.ExecuteScalarAsync());
    }

    // The advisory lock alone, so that the row's lease can be changed beside it.
    private static async Task<NpgsqlConnection> Hold(PostgresDatabase database)
    {
        var connection = await database.OpenConnection();
        await connection.BeginTransactionAsync();
        Assert.True(await PartitionLock.TakeAsync(connection, 0, TimeSpan.Zero, default));
        return connection;
    }

    private static async Task<LeaseHolder> Holder(PostgresDatabase database)
    {
        var look = await database.Store.LookAtLeasesAsync(Me, Lease, default);
        return Assert.NotNull(Assert.Single(look.Leases).Holder);
    }
}
