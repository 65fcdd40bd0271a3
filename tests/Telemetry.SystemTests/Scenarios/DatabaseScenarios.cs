using Npgsql;
using Telemetry.Model.Identity;
using Telemetry.SystemTests.Cluster;
using Telemetry.SystemTests.Showing;
using Telemetry.TestKit.Network;

namespace Telemetry.SystemTests.Scenarios;

/// <summary>PostgreSQL is put back to an earlier copy of its files. Each begins with everything drained.</summary>
public sealed class DatabaseScenarios(LocalCluster cluster, LivePicture picture)
{
    public const string EdgeHolds = "database put back, the edge holds what is missing";
    public const string OnlyLogHolds = "database put back, only the log holds what is missing";
    public const string NobodyHolds = "database put back, nobody holds what is missing";

    private static readonly TimeSpan FlowFor = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(60);
    private int _copies;

    /// <summary>All of them by name.</summary>
    public IReadOnlyList<(string Name, Func<CancellationToken, Task> Play)> All =>
    [
        (EdgeHolds, EdgeHoldsAsync),
        (OnlyLogHolds, c => FreedAsync(keepLog: true, c)),
        (NobodyHolds, c => FreedAsync(keepLog: false, c)),
    ];

    // The stored-acks never reach the edge, and the log is deleted: the edge alone has what the database loses.
    private async Task EdgeHoldsAsync(CancellationToken cancellationToken)
    {
        var copy = await CopyAsync();
        var before = await SettledAsync(cancellationToken);
        await cluster.Processor.KillAsync();
        await cluster.BeginAsync();
        await Task.Delay(FlowFor, cancellationToken);
        cluster.Link.Cut(CutKind.Silent);
        await cluster.StartProcessorAsync();
        await StandsStillAsync(before, cancellationToken);
        await picture.SayAsync(
            $"the database has {await SettledAsync(cancellationToken) - before} readings that the edge does not know "
            + "to be stored");
        await PutBackAsync(copy);
        await cluster.Nats.Wipe();
        await cluster.Postgres.Start();
        cluster.Link.Heal();
        await cluster.EndAsync();
    }

    private async Task FreedAsync(bool keepLog, CancellationToken cancellationToken)
    {
        var copy = await CopyAsync();
        var before = await SettledAsync(cancellationToken);
        await cluster.BeginAsync();
        await Task.Delay(FlowFor, cancellationToken);
        await cluster.EndAsync();
        await cluster.WaitUntilDrainedAsync(Within, cancellationToken);
        await picture.SayAsync(
            $"the edge has freed {await SettledAsync(cancellationToken) - before} readings that the copy lacks");
        await PutBackAsync(copy);
        if (!keepLog)
        {
            await picture.SayAsync($"{await cluster.PurgeLogAsync(cancellationToken)} messages purged from JetStream");
        }

        await cluster.Postgres.Start();
    }

    /// <summary>Names what is booked as lost.</summary>
    public async Task<IReadOnlyList<string>> LostAsync(CancellationToken cancellationToken)
    {
        await using var connection = new NpgsqlConnection(cluster.Postgres.ConnectionString);
        await connection.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(
            "SELECT gateway, epoch, lane, first, last FROM telemetry.run WHERE state = 1 ORDER BY 1, 2, 3, 4",
            connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var lost = new List<string>();
        while (await reader.ReadAsync(cancellationToken))
        {
            lost.Add(
                $"{reader.GetString(0)}: epoch {reader.GetInt64(1):x16}, {(Lane)reader.GetInt16(2)} "
                + $"{reader.GetInt64(3)} to {reader.GetInt64(4)}");
        }

        return lost;
    }

    private async Task<string> CopyAsync()
    {
        var copy = Path.Combine(cluster.Folder, $"database-{++_copies}");
        await cluster.Postgres.Stop();
        await cluster.Postgres.CopyDataDirectory(copy);
        await cluster.Postgres.Start();
        return copy;
    }

    private async Task PutBackAsync(string copy)
    {
        await cluster.Postgres.Kill();
        await cluster.Postgres.ReplaceDataDirectory(copy);
        await picture.SayAsync("the database is an earlier copy now");
    }

    private async Task<long> SettledAsync(CancellationToken cancellationToken) =>
        (await cluster.BooksAsync(cancellationToken)).Values.Sum(b => b.Settled);

    private async Task StandsStillAsync(long before, CancellationToken cancellationToken)
    {
        var until = DateTimeOffset.UtcNow + Within;
        var last = before;
        for (var still = 0; still < 4;)
        {
            await Task.Delay(500, cancellationToken);
            var now = await SettledAsync(cancellationToken);
            still = now == last && now > before ? still + 1 : 0;
            last = now;
            if (DateTimeOffset.UtcNow > until)
            {
                throw new TimeoutException("the processor does not store what is in the log");
            }
        }
    }
}
