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
    public async Task<int> RunAsync(string? spoil, bool keep, CancellationToken cancellationToken)
    {
        await output.WriteLineAsync("starting nats-server, PostgreSQL, Kafka, ingress, processor, relay");
        await using var plant = await LocalCluster.StartAsync(new ClusterOptions { HostMetrics = true });
        var balanced = await PlayAsync(plant, spoil, cancellationToken);
        if (keep)
        {
            plant.WithInputs = true;
            await plant.StartAgentsAsync();
            await output.WriteLineAsync($"\nleft running until Ctrl-C:\n{plant.Describe()}");
            await Task.Delay(Timeout.Infinite, cancellationToken).ContinueWith(_ => { }, TaskScheduler.Default);
        }

        return balanced ? 0 : 1;
    }

    private async Task<bool> PlayAsync(LocalCluster plant, string? spoil, CancellationToken cancellationToken)
    {
        await using var picture = new LivePicture(plant, output, terminal);
        var faults = new Faults(plant, picture) { Dead = TimeSpan.FromSeconds(2) };
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
                () => IntrudeAsync(plant, picture, cancellationToken)),
            (55, "stop the inputs, drain", () => EndInputsAsync(plant, picture)),
        ];
        await picture.SayAsync("the schedule:");
        foreach (var (at, what, _) in schedule)
        {
            await picture.SayAsync($"   at {at,2} s: {what}");
        }

        await picture.SayAsync($"alerts go to {plant.Broker!.Name}");
        await using var feed = new AlertFeed(
            plant.Broker,
            alert => alert.Rule == ShownRule ? picture.SayAsync(AlertFeed.Words(alert)) : Task.CompletedTask);
        await plant.StartAgentsAsync();
        await picture.SayAsync(
            $"{plant.Options.FleetGateways} gateways in one process, one alone, and one that takes this machine's "
            + "metrics as line protocol are sending");
        var begun = DateTimeOffset.UtcNow;
        foreach (var (at, _, act) in schedule)
        {
            var wait = begun.AddSeconds(at) - DateTimeOffset.UtcNow;
            await Task.Delay(wait > TimeSpan.Zero ? wait : TimeSpan.Zero, cancellationToken);
            await act();
        }

        await plant.WaitUntilDrainedAsync(DrainWithin, cancellationToken);
        await plant.StopAgentsAsync();
        await picture.SayAsync("drained");
        return await JudgeAsync(plant, picture, spoil, cancellationToken);
    }

    private static async Task EndInputsAsync(LocalCluster plant, LivePicture picture)
    {
        plant.WithInputs = false;
        await plant.StopAgentsAsync();
        await plant.StartAgentsAsync();
        await picture.SayAsync("the inputs have stopped; what the outboxes hold drains");
    }

    private static async Task IntrudeAsync(LocalCluster plant, LivePicture picture, CancellationToken cancellationToken)
    {
        const string counter = "telemetry_ingress_events_total{event=\"frame_malformed\"}";
        var before = await plant.Status.CounterAsync(plant.IngressStatusPort, counter, cancellationToken) ?? 0;
        var reasons = await Intrusion.SendBrokenFramesAsync(
            plant.IngressPort, LocalCluster.Intruder, LocalCluster.Password, BrokenFrames, cancellationToken);
        var counted = (await plant.Status.CounterAsync(plant.IngressStatusPort, counter, cancellationToken) ?? 0)
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
        LocalCluster plant, LivePicture picture, string? spoil, CancellationToken cancellationToken)
    {
        if (spoil is not null)
        {
            await DatabaseCorruption.SpoilAsync(plant.Postgres.ConnectionString, spoil, cancellationToken);
            await picture.SayAsync($"the database was spoilt on purpose: {spoil} one row");
        }

        var books = await plant.BooksAsync(cancellationToken);
        var verdict = await plant.JudgeAsync(cancellationToken);
        await picture.DisposeAsync();
        await output.WriteLineAsync($"\nfrom the senders' journals and SQL:\n\n{verdict}");
        var intruder = books.ContainsKey(LocalCluster.Intruder);
        await output.WriteLineAsync(intruder ? "the intruder is in the books: WRONG" : "the intruder is in no book");
        var alerts = await AlertVerdict.ReadAsync(
            plant.Postgres.ConnectionString, plant.Broker!, DrainWithin, cancellationToken);
        await output.WriteLineAsync(
            $"alerts: {alerts.InDatabase} transitions in the database, {alerts.InTopic} records in {plant.Broker!.Name}"
            + $"; {plant.SiteSender.Repeats} requests of line protocol were sent again");
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
                + $"bit{(plant.Broker!.IsReal ? "; every alert once" : "")}"
            : "\nVERDICT: THE BOOKS ARE WRONG");
        return good;
    }
}
