using Telemetry.MqttSessions;
using Telemetry.SystemTests.Alerts;
using Telemetry.SystemTests.Cluster;
using Telemetry.SystemTests.Showing;
using Telemetry.TestKit.Network;

namespace Telemetry.SystemTests.Scenarios;

/// <summary>
/// The demonstration: 21 gateways, alerts as a Kafka consumer reads them, a printed schedule of faults in about a
/// minute, then everything drains and is judged.
/// </summary>
public sealed class Demo(TextWriter output, bool terminal)
{
    private const int BrokenFrames = 5;
    private const string ShownRule = "saw-tooth-high";
    private static readonly TimeSpan LinkCut = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan DrainWithin = TimeSpan.FromSeconds(90);

    /// <summary>Runs it; gives the exit code.</summary>
    public async Task<int> RunAsync(string? corruption, bool keep, CancellationToken cancellationToken)
    {
        await output.WriteLineAsync("starting nats-server, PostgreSQL, Kafka, ingress, processor, relay, dashboard");
        await using var cluster = await LocalCluster.StartAsync(new ClusterOptions { HostMetrics = true });
        await cluster.StartDashboardAsync();
        var balanced = await PlayAsync(cluster, corruption, cancellationToken);
        if (keep)
        {
            cluster.WithInputs = true;
            await cluster.StartAgentsAsync();
            await output.WriteLineAsync($"\nleft running until Ctrl-C:\n{cluster.Describe()}");
            await Task.Delay(Timeout.Infinite, cancellationToken).ContinueWith(_ => { }, TaskScheduler.Default);
        }

        return balanced ? 0 : 1;
    }

    private async Task<bool> PlayAsync(LocalCluster cluster, string? corruption, CancellationToken cancellationToken)
    {
        await using var picture = new LivePicture(cluster, output, terminal);
        var faults = new Faults(cluster, picture) { Dead = TimeSpan.FromSeconds(2) };
        (int At, string What, Func<Task> Do)[] schedule =
        [
            (6, "SIGKILL the processor", () => faults.KillProcessorAsync(cancellationToken)),
            (10, "SIGKILL the relay", () => faults.KillRelayAsync(cancellationToken)),
            (12, "cut the link of all gateways for 15 s",
                () => faults.CutLinkAsync(LinkCut, CutKind.Silent, cancellationToken)),
            (31, "SIGKILL the ingress", () => faults.KillIngressAsync(cancellationToken)),
            (38, "SIGKILL nats-server", () => faults.KillNatsAsync(cancellationToken)),
            (45, "SIGKILL an agent", () => faults.KillAgentAsync(cancellationToken)),
            (48, "SIGKILL the agent of the HTTP input", () => faults.KillSiteAsync(cancellationToken)),
            (50, "frames with a broken checksum from a client of its own",
                () => IntrudeAsync(cluster, picture, cancellationToken)),
            (55, "stop the inputs, drain", () => EndInputsAsync(cluster, picture)),
        ];
        await picture.SayAsync("the schedule:");
        foreach (var (at, what, _) in schedule)
        {
            await picture.SayAsync($"   at {at,2} s: {what}");
        }

        await picture.SayAsync($"alerts go to {cluster.Broker!.Name}");
        await picture.SayAsync($"the page of the fleet: {cluster.DashboardAddress} (with --keep it stays)");
        await using var consumer = new AlertConsumer(
            cluster.Broker,
            alert => alert.Rule == ShownRule ? picture.SayAsync(AlertConsumer.Text(alert)) : Task.CompletedTask);
        await cluster.StartAgentsAsync();
        await picture.SayAsync(
            $"{cluster.Options.FleetGateways} gateways in one process, one alone, and one that takes this machine's "
            + "metrics as line protocol are sending");
        var begun = DateTimeOffset.UtcNow;
        foreach (var (at, _, act) in schedule)
        {
            var wait = begun.AddSeconds(at) - DateTimeOffset.UtcNow;
            await Task.Delay(wait > TimeSpan.Zero ? wait : TimeSpan.Zero, cancellationToken);
            await act();
        }

        await cluster.WaitUntilDrainedAsync(DrainWithin, cancellationToken);
        await cluster.StopAgentsAsync();
        await picture.SayAsync("drained");
        return await JudgeAsync(cluster, picture, corruption, cancellationToken);
    }

    private static async Task EndInputsAsync(LocalCluster cluster, LivePicture picture)
    {
        cluster.WithInputs = false;
        await cluster.StopAgentsAsync();
        await cluster.StartAgentsAsync();
        await picture.SayAsync("the inputs have stopped; what the outboxes hold drains");
    }

    private static async Task IntrudeAsync(
        LocalCluster cluster, LivePicture picture, CancellationToken cancellationToken)
    {
        const string counter = "telemetry_ingress_events_total{event=\"frame_malformed\"}";
        var before = await cluster.Status.CounterAsync(cluster.IngressStatusPort, counter, cancellationToken) ?? 0;
        var reasons = await Intrusion.SendBrokenFramesAsync(
            cluster.IngressPort, LocalCluster.Intruder, LocalCluster.Password, BrokenFrames, cancellationToken);
        var counted = (await cluster.Status.CounterAsync(cluster.IngressStatusPort, counter, cancellationToken) ?? 0)
            - before;
        await picture.SayAsync(
            $"{BrokenFrames} frames with a broken checksum: refused with "
            + $"{string.Join(", ", reasons.Distinct().Select(r => $"0x{(byte)r:x2}"))}, {counted} counted");
        if (reasons.Any(r => r != MqttReasonCode.PayloadFormatInvalid) || (int)counted != BrokenFrames)
        {
            throw new InvalidOperationException("broken frames were not refused with 0x99, or not counted");
        }
    }

    private async Task<bool> JudgeAsync(
        LocalCluster cluster, LivePicture picture, string? corruption, CancellationToken cancellationToken)
    {
        if (corruption is not null)
        {
            await DatabaseCorruption.CorruptAsync(cluster.Postgres.ConnectionString, corruption, cancellationToken);
            await picture.SayAsync($"the database was corrupted on purpose: {corruption} one row");
        }

        var books = await cluster.BooksAsync(cancellationToken);
        var verdict = await cluster.JudgeAsync(cancellationToken);
        await picture.DisposeAsync();
        await output.WriteLineAsync($"\nfrom the senders' journals and SQL:\n\n{verdict}");
        var intruder = books.ContainsKey(LocalCluster.Intruder);
        await output.WriteLineAsync(
            intruder ? "the intruder is in the books: WRONG" : "the intruder is not in the books");
        var alerts = await AlertVerdict.ReadAsync(
            cluster.Postgres.ConnectionString, cluster.Broker!, DrainWithin, cancellationToken);
        await output.WriteLineAsync(
            $"alerts: {alerts.InDatabase} transitions in the database, {alerts.InTopic} records in "
            + $"{cluster.Broker!.Name}; {cluster.SiteSender.Repeats} requests of line protocol were sent again");
        foreach (var fault in alerts.Faults)
        {
            await output.WriteLineAsync($"alerts: {fault}");
        }

        foreach (var question in alerts.NotJudged)
        {
            await output.WriteLineAsync($"alerts: not judged without a real Kafka: {question}");
        }

        var (rejected, dropped) = (books.Values.Sum(b => b.Rejected), books.Values.Sum(b => b.Dropped));
        await output.WriteLineAsync($"rejected {rejected} and dropped {dropped} on purpose: both must be above zero");
        var good = verdict.Balanced && !intruder && alerts is { InDatabase: > 0, Faults.Count: 0 } && rejected > 0
            && dropped > 0;
        await output.WriteLineAsync(good
            ? "\nVERDICT: accepted = stored + rejected + dropped + lost, every reading once, to the "
                + $"bit{(cluster.Broker!.IsReal ? "; every alert once" : "")}"
            : "\nVERDICT: THE BOOKS ARE WRONG");
        return good;
    }
}
