using System.Diagnostics;
using Npgsql;
using Telemetry.Cloud.Commands.DeadLetters;
using Telemetry.Cloud.Configuration;
using Telemetry.Integration.Cloud;
using Telemetry.Storage.Postgres;
using Telemetry.Storage.Postgres.DeadLetters;
using Telemetry.Storage.Postgres.Statements;
using Telemetry.TestKit.Servers;
using Xunit.Abstractions;

namespace Telemetry.Integration.Processing;

/// <summary>Operators' commands that stand still (SIGSTOP) between two statements: the server ends them.</summary>
public sealed class FrozenCommandTests(ITestOutputHelper output)
{
    /// <summary>Measured 5 s, what a command may be silent; generous, as the machine may be busy.</summary>
    private static readonly TimeSpan StallMax = TimeSpan.FromSeconds(20);

    [ServersFact(nats: true, postgres: true)]
    public async Task Frozen_resolution_of_a_fork_stops_its_partition_for_some_seconds_and_changes_nothing()
    {
        await using var stand = await Stored(1, 2);
        await stand.Database.Execute("""
            UPDATE telemetry.gateway SET fork = 'lineage: a'; UPDATE telemetry.partition SET commits = commits + 1
            """);

        await using var command = await Frozen(
            stand, "forks", "resolve", "gw-001", "--reason", "other", "--note", "none");
        var stall = await Store(stand, 3, settled: 3);

        output.WriteLine($"stored after {stall}");
        Assert.InRange(stall, TimeSpan.Zero, StallMax);
        await Failed(command);
        Assert.Equal("lineage: a", await stand.Database.Row("SELECT fork FROM telemetry.gateway"));
    }

    [ServersFact(nats: true, postgres: true)]
    public async Task Frozen_discard_of_letters_holds_up_a_retry_for_some_seconds_and_the_partition_not_at_all()
    {
        await using var stand = await Stored(12);
        await stand.Database.Execute("ALTER TABLE telemetry.reading ADD CONSTRAINT no_thirteen CHECK (f <> 13)");
        await stand.SendFloats(ProcessorStand.Gateway(1), 13);
        await stand.WaitUntilSettled(2);
        await stand.Database.Execute("ALTER TABLE telemetry.reading DROP CONSTRAINT no_thirteen");
        Assert.Equal("1|1|0", await stand.Books());

        await using var command = await Frozen(
            stand, "dead-letters", "discard", "--gateway", "gw-001", "--note", "none");
        var watch = Stopwatch.StartNew();
        var retry = Retry(stand);
        await stand.Until(async () => await Waiting(stand, "dead_letter"));
        var stall = await Store(stand, 14, settled: 3);
        var besideRetry = !retry.IsCompleted;
        var said = await retry;

        output.WriteLine($"stored after {stall}; {said} after {watch.Elapsed}");
        Assert.True(besideRetry || stall < BesideTransaction.SilenceMax, "nothing was stored while the retry waited");
        Assert.InRange(watch.Elapsed, TimeSpan.Zero, StallMax);
        await Failed(command);
        Assert.Equal("3|0|0", await stand.Books());
    }

    private static async Task<ProcessorStand> Stored(params double[] values)
    {
        var stand = await ProcessorStand.Start();
        await stand.SendSchema(ProcessorStand.Gateway(1));
        await stand.SendFloats(ProcessorStand.Gateway(1), values);
        await stand.WaitUntilSettled(values.Length);
        return stand;
    }

    /// <summary>A command that has locked all it needs, and was frozen before it wrote the audit.</summary>
    private static async Task<CloudProcess> Frozen(ProcessorStand stand, string command, params string[] arguments)
    {
        await using var connection = await stand.Database.OpenConnection();
        await using var transaction = await connection.BeginTransactionAsync();
        await using var locking = new NpgsqlCommand(
            "LOCK TABLE telemetry.operator_act IN ACCESS EXCLUSIVE MODE", connection);
        await locking.ExecuteNonQueryAsync();
        var process = new CloudProcess("nats://127.0.0.1:1", stand.Database.ConnectionString);
        await process.Start(command, null, arguments);
        await stand.Until(async () => await Waiting(stand, "operator_act") || process.Process.Exited.IsCompleted);
        process.Process.Signal(ProcessSignal.Stop);
        return process;
    }

    private static async Task<bool> Waiting(ProcessorStand stand, string query) => await stand.Database.Row(
        $"SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%{query}%'") != "0";

    private static async Task<TimeSpan> Store(ProcessorStand stand, double value, long settled)
    {
        var watch = Stopwatch.StartNew();
        await stand.SendFloats(ProcessorStand.Gateway(1), value);
        await stand.WaitUntilSettled(settled);
        return watch.Elapsed;
    }

    private static async Task<int> Retry(ProcessorStand stand)
    {
        var settings = new CloudSettings
        {
            Database = new PostgresStoreOptions { ConnectionString = stand.Database.ConnectionString },
        };
        var arguments = new DeadLetterArguments
        {
            Verb = "retry",
            Filter = new DeadLetterFilter { Gateway = "gw-001", Limit = 1_000_000 },
        };
        return await new DeadLettersCommand(settings, TextWriter.Null, TextWriter.Null).RunAsync(arguments, default);
    }

    private static async Task Failed(CloudProcess command)
    {
        command.Process.Signal(ProcessSignal.Continue);
        await command.Process.Exited.WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(1, command.Process.ExitCode);
    }
}
