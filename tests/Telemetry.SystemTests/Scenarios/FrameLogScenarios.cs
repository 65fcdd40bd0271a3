using Telemetry.SystemTests.Cluster;
using Telemetry.SystemTests.Showing;

namespace Telemetry.SystemTests.Scenarios;

/// <summary>
/// JetStream's store is deleted, purged, or put back to an older copy, while data flows or when no further reading
/// comes. The processor is dead for a while each time, so that the log holds what the database does not have yet.
/// </summary>
public sealed class FrameLogScenarios(LocalCluster cluster, LivePicture picture)
{
    public const string WipedTail = "log deleted, tail";

    private static readonly TimeSpan FlowFor = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan InLogWithin = TimeSpan.FromSeconds(30);
    private int _copies;

    /// <summary>All of them by name.</summary>
    public IReadOnlyList<(string Name, Func<CancellationToken, Task> Play)> All =>
    [
        ("log deleted, data flowing", c => FlowingAsync(WipeAsync, c)),
        (WipedTail, c => TailAsync(WipeAsync, c)),
        ("log purged within the dedup window, data flowing", c => FlowingAsync(PurgeAsync, c)),
        ("log purged within the dedup window, tail", c => TailAsync(PurgeAsync, c)),
        ("log put back to an older copy, data flowing", c => OlderCopyAsync(FlowingAsync, c)),
        ("log put back to an older copy, tail", c => OlderCopyAsync(TailAsync, c)),
    ];

    private async Task FlowingAsync(Func<CancellationToken, Task> fault, CancellationToken cancellationToken)
    {
        await cluster.BeginAsync();
        await Task.Delay(FlowFor, cancellationToken);
        await cluster.Processor.KillAsync();
        await Task.Delay(FlowFor, cancellationToken);
        await SayInFlightAsync(cancellationToken);
        await fault(cancellationToken);
        await cluster.StartProcessorAsync();
        await Task.Delay(FlowFor, cancellationToken);
        await cluster.EndAsync();
    }

    private async Task TailAsync(Func<CancellationToken, Task> fault, CancellationToken cancellationToken)
    {
        await cluster.BeginAsync();
        await Task.Delay(FlowFor, cancellationToken);
        await cluster.Processor.KillAsync();
        await Task.Delay(FlowFor, cancellationToken);
        await cluster.EndAsync();
        await cluster.WaitUntilAsync(
            "everything in the log, and no further reading comes",
            agents => agents.Count > 0 && agents.All(a => a.InFlight == a.AtTheEdge && a.FramesAwaitingPubAck == 0)
                && agents.Any(a => a.FramesInFlight > 0),
            InLogWithin,
            cancellationToken);
        await SayInFlightAsync(cancellationToken);
        await fault(cancellationToken);
        await cluster.StartProcessorAsync();
    }

    private async Task OlderCopyAsync(
        Func<Func<CancellationToken, Task>, CancellationToken, Task> play, CancellationToken cancellationToken)
    {
        var copy = Path.Combine(cluster.Folder, $"log-{++_copies}");
        await cluster.CopyLogAsync(copy);
        await play(
            async _ =>
            {
                await cluster.PutLogBackAsync(copy);
                await cluster.Nats.Restart();
                await picture.SayAsync("JetStream's store is an older copy now");
            },
            cancellationToken);
    }

    private async Task WipeAsync(CancellationToken cancellationToken)
    {
        await cluster.Nats.Wipe();
        await picture.SayAsync("JetStream's store is deleted");
    }

    private async Task PurgeAsync(CancellationToken cancellationToken) =>
        await picture.SayAsync($"{await cluster.PurgeLogAsync(cancellationToken)} messages purged from JetStream");

    private async Task SayInFlightAsync(CancellationToken cancellationToken)
    {
        var agents = await cluster.AgentsAsync(cancellationToken);
        await picture.SayAsync(
            $"in flight: {agents.Sum(a => a.FramesInFlight)} frames, {agents.Sum(a => a.InFlight)} readings");
    }
}
