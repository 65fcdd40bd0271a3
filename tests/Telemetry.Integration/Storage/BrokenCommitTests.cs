using Npgsql;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Storage;
using Telemetry.Storage.Postgres;
using Telemetry.TestKit.Network;
using Telemetry.TestKit.Servers;
using static Telemetry.TestKit.Contracts.StoreSteps;

namespace Telemetry.Integration.Storage;

/// <summary>
/// Whatever breaks in the middle of a commit: it is there as a whole or not at all, and the store says what it knows.
/// </summary>
public sealed class BrokenCommitTests
{
    // A commit that reaches this trigger stands between COMMIT and its answer for as long as the test holds the lock.
    private const string HoldAtCommit = """
        CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NULL; END $$;
        CREATE CONSTRAINT TRIGGER hold AFTER INSERT ON telemetry.gateway DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION hold()
        """;

    [PostgresFact]
    public async Task Session_that_is_ended_before_the_commit_leaves_nothing_and_the_next_commit_goes_through()
    {
        await using var server = await PostgresServer.Start(null);
        await using var database = await PostgresDatabase.Create(server.ConnectionString);
        var row = await Commit(database.Store, await Take(database.Store), _ => { });
        await using var holder = await Hold(database, "BEGIN; LOCK TABLE telemetry.gateway");
        var commit = Full(row);
        var committing = database.Store.CommitAsync(commit, default);

        await EndWaitingSession(database);

        var e = await Assert.ThrowsAsync<StoreException>(() => committing);
        Assert.False(e.MayHaveCommitted);
        Assert.False(e.IsDataFault);
        await holder.DisposeAsync();
        Assert.Equal(row, await TakeAgain(database.Store));
        Assert.Empty(await database.ReadAllReadings());
        Assert.Equal(CommitOutcome.Committed, await database.Store.CommitAsync(commit, default));
        Assert.Equal(3, (await database.ReadAllReadings()).Count);
    }

    [PostgresFact]
    public async Task Session_that_is_ended_during_the_commit_may_have_committed()
    {
        await using var server = await PostgresServer.Start(null);
        await using var database = await PostgresDatabase.Create(server.ConnectionString);
        var row = await Take(database.Store);
        await database.Execute(HoldAtCommit);
        await using var holder = await Hold(database, "SELECT pg_advisory_lock(1)");
        var committing = database.Store.CommitAsync(Full(row), default);

        await EndWaitingSession(database);

        var e = await Assert.ThrowsAsync<StoreException>(() => committing);
        Assert.True(e.MayHaveCommitted);
        Assert.Equal(row, await TakeAgain(database.Store));
        Assert.Empty(await database.ReadAllReadings());
    }

    [PostgresFact]
    public async Task Answer_to_the_commit_that_is_lost_on_the_line_may_have_committed_and_here_it_has()
    {
        await using var server = await PostgresServer.Start(null);
        await using var database = await PostgresDatabase.Create(server.ConnectionString);
        await using var line = new FaultProxy(server.Port);
        await database.Execute(HoldAtCommit);
        var store = await database.OpenStore(new PostgresStoreOptions
        {
            ConnectionString = new NpgsqlConnectionStringBuilder(
                database.ConnectionString)
            { Port = line.Port }.ConnectionString,
        });
        var step = Step(await Take(store));
        await using var holder = await Hold(database, "SELECT pg_advisory_lock(1)");
        var committing = store.CommitAsync(Full(step.Expected), default);
        await WaitingSession(database);

        line.Cut(CutKind.Reset);

        var e = await Assert.ThrowsAsync<StoreException>(() => committing);
        Assert.True(e.MayHaveCommitted);
        await holder.DisposeAsync();
        line.Heal();
        await Until(async () => (await database.ReadAllReadings()).Count == 3);
        Assert.Equal(After(step), await TakeAgain(store));
    }

    [PostgresFact]
    public async Task Line_that_breaks_in_the_middle_of_the_readings_leaves_nothing()
    {
        await using var server = await PostgresServer.Start(null);
        await using var database = await PostgresDatabase.Create(server.ConnectionString);
        await using var line = new FaultProxy(server.Port);
        var store = await database.OpenStore(new PostgresStoreOptions
        {
            ConnectionString = new NpgsqlConnectionStringBuilder(
                database.ConnectionString)
            { Port = line.Port }.ConnectionString,
        });
        var row = await Commit(store, await Take(store), _ => { });
        var commit = new StoreCommit { Partitions = { Step(row) } };
        for (var i = 0; i < 100_000; i++)
        {
            commit.Readings.Add(Numbered(MetricType.Int), i, ReadingFlags.None, 3);
        }

        line.CutAfter(Direction.ToServer, 3_000_000);
        var e = await Assert.ThrowsAsync<StoreException>(() => store.CommitAsync(commit, default));

        Assert.False(e.MayHaveCommitted);
        Assert.False(e.IsDataFault);
        line.Heal();
        Assert.Equal(row, await TakeAgain(store));
        Assert.Empty(await database.ReadAllReadings());
        Assert.Equal(CommitOutcome.Committed, await store.CommitAsync(commit, default));
        Assert.Equal(100_000, (await database.ReadAllReadings()).Count);
    }

    [PostgresFact]
    public async Task Server_that_stops_at_once_has_every_commit_as_a_whole_after_its_start()
    {
        await using var server = await PostgresServer.Start(null);
        await using var database = await PostgresDatabase.Create(server.ConnectionString);
        var row = await Take(database.Store);
        var answered = 0L;
        var busy = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var writing = Write();

        await busy.Task;
        await server.ImmediateStop();
        var e = await Assert.ThrowsAsync<StoreException>(() => writing);
        await server.Start();

        Assert.False(e.IsDataFault);
        var found = await TakeAgain(database.Store);
        Assert.InRange(found.Commits, answered, answered + 1);
        Assert.True(found.Commits == answered || e.MayHaveCommitted);
        Assert.Equal(found.Commits * 3, (await database.ReadAllReadings()).Count);
        Assert.Equal(found.Commits, found.Live.Sequence);
        Assert.Equal(found.Commits, (await Load(database.Store)).Gateway!.Stored);
        await Commit(database.Store, found, _ => { });

        async Task Write()
        {
            for (var next = row; ; next = After(Step(next)))
            {
                await database.Store.CommitAsync(Full(next), default);
                answered++;
                if (answered == 20)
                {
                    busy.SetResult();
                }
            }
        }
    }

    [PostgresFact]
    public async Task Cancelled_commit_leaves_nothing_and_the_next_one_goes_through()
    {
        await using var server = await PostgresServer.Start(null);
        await using var database = await PostgresDatabase.Create(server.ConnectionString);
        var row = await Take(database.Store);
        await using var holder = await Hold(database, "BEGIN; LOCK TABLE telemetry.gateway");
        using var cancelling = new CancellationTokenSource();
        var committing = database.Store.CommitAsync(Full(row), cancelling.Token);
        await WaitingSession(database);

        await cancelling.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => committing);
        await holder.DisposeAsync();
        Assert.Empty(await database.ReadAllReadings());
        Assert.Equal(CommitOutcome.Committed, await database.Store.CommitAsync(Full(row), default));
    }

    [PostgresFact]
    public async Task Statement_that_takes_too_long_is_given_up_and_leaves_nothing()
    {
        await using var server = await PostgresServer.Start(null);
        await using var database = await PostgresDatabase.CreateEmpty(server.ConnectionString);
        var store = await database.OpenStore(new PostgresStoreOptions
        {
            ConnectionString = database.ConnectionString,
            CommandTimeout = TimeSpan.FromSeconds(1),
        });
        var row = await Take(store);
        await using var holder = await Hold(database, "BEGIN; LOCK TABLE telemetry.gateway");

        var e = await Assert.ThrowsAsync<StoreException>(() => store.CommitAsync(Full(row), default));

        Assert.False(e.MayHaveCommitted);
        await holder.DisposeAsync();
        Assert.Equal(CommitOutcome.Committed, await store.CommitAsync(Full(row), default));
        Assert.Equal(3, (await database.ReadAllReadings()).Count);
    }

    [PostgresFact]
    public async Task Commit_is_forced_to_the_disk_whatever_the_database_has_as_its_default()
    {
        await using var server = await PostgresServer.Start(null);
        await using var database = await PostgresDatabase.Create(server.ConnectionString);
        await database.Execute(
            $"ALTER DATABASE {new NpgsqlConnectionStringBuilder(database.ConnectionString).Database} SET "
            + "synchronous_commit = off");

        Assert.Equal("on", await SeenInCommit(database, "current_setting('synchronous_commit')"));
    }

    [PostgresFact]
    public async Task Session_whose_owner_fell_silent_is_ended_by_the_server_in_half_a_minute()
    {
        await using var server = await PostgresServer.Start(null);
        await using var database = await PostgresDatabase.Create(server.ConnectionString);

        Assert.Equal("30s 10 5 4", await SeenInCommit(database, """
            concat_ws(' ', current_setting('idle_in_transaction_session_timeout'),
                current_setting('tcp_keepalives_idle'), current_setting('tcp_keepalives_interval'),
                current_setting('tcp_keepalives_count'))
            """));
    }

    /// <summary>What an expression gives inside of a commit's own session.</summary>
    private static async Task<string> SeenInCommit(PostgresDatabase database, string expression)
    {
        await database.Execute($"""
            CREATE TABLE seen (value text);
            CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN INSERT INTO seen VALUES ({expression}); RETURN NULL; END $$;
            CREATE TRIGGER look AFTER INSERT ON telemetry.gateway EXECUTE FUNCTION look()
            """);
        await database.Store.CommitAsync(Full(await Take(database.Store)), default);
        return await database.Row("SELECT value FROM seen");
    }

    private static StoreCommit Full(PartitionRow row)
    {
        var commit = new StoreCommit { Partitions = { Step(row) } };
        commit.Gateways.Add(GatewayRow.New(Gateway, 0) with { Stored = row.Commits + 1 });
        commit.Frames.Add(Frame(1 + (row.Commits * 3), 3));
        for (var i = 0; i < 3; i++)
        {
            commit.Readings.Add(Numbered(MetricType.Int), i, ReadingFlags.None, 3);
        }

        return commit;
    }

    /// <summary>
    /// After a break the first try may find its pooled connection broken, and the server may not know yet that the
    /// session whose transaction holds the partition is gone.
    /// </summary>
    private static async Task<PartitionRow> TakeAgain(IStore store)
    {
        for (var tries = 0; ; tries++)
        {
            try
            {
                if (await store.TakeLeaseAsync(0, 0xFEDC_BA98_7654_3210, "owner", Lease, default) is { } row)
                {
                    return row;
                }

                Assert.True(tries < 500, "its own broken transaction held the partition for 10 s");
                await Task.Delay(20);
            }
            catch (StoreException) when (tries == 0)
            {
                // The next one opens a new connection.
            }
        }
    }

    private static async Task<NpgsqlConnection> Hold(PostgresDatabase database, string sql)
    {
        var connection = await database.OpenConnection();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
        return connection;
    }

    private static async Task EndWaitingSession(PostgresDatabase database) =>
        Assert.Equal("True", await database.Row($"SELECT pg_terminate_backend({await WaitingSession(database)})"));

    private static async Task<int> WaitingSession(PostgresDatabase database)
    {
        IReadOnlyList<int> found = [];
        await Until(async () => (found = await database.Read(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
            r => r.GetInt32(0))).Count == 1);
        return found[0];
    }

    private static async Task Until(Func<Task<bool>> holds)
    {
        for (var tries = 0; !await holds(); tries++)
        {
            Assert.True(tries < 600, "it did not come true in 30 s");
            await Task.Delay(50);
        }
    }
}
