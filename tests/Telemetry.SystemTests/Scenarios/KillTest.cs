using Telemetry.SystemTests.Alerts;
using Telemetry.SystemTests.Cluster;
using Telemetry.SystemTests.Showing;
using Telemetry.SystemTests.Windows;
using Telemetry.TestKit.Checking;
using Telemetry.TestKit.Network;

namespace Telemetry.SystemTests.Scenarios;

/// <summary>
/// Kills everything again and again while readings flow, then harms log and database in every way the design names. The
/// books must balance after each part.
/// </summary>
public sealed class KillTest(KillTestOptions options, TextWriter output, bool terminal)
{
    private static readonly TimeSpan Breath = TimeSpan.FromSeconds(1.5);

    /// <summary>The last verdict.</summary>
    public BooksVerdict? Last { get; private set; }

    /// <summary>What became of the alerts; null where the cluster has none.</summary>
    public AlertVerdict? Alerts { get; private set; }

    /// <summary>What became of the windows.</summary>
    public WindowVerdict? Windows { get; private set; }

    // A cloud of an older version may have none.
    private static bool HasWindows => DotnetProcess.OtherVersion("Telemetry.Cloud") is null;

    /// <summary>How often windows were read while everything else happened.</summary>
    public int WindowLooks { get; private set; }

    /// <summary>How often each fault struck.</summary>
    public IReadOnlyDictionary<string, int> Struck { get; private set; } = new Dictionary<string, int>();

    /// <summary>Runs it; gives the exit code.</summary>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        await using var cluster = await LocalCluster.StartAsync(options.Cluster);
        return await RunAsync(cluster, cancellationToken) ? 0 : 1;
    }

    /// <summary>Runs it on a cluster that is up; true when all books balance.</summary>
    public async Task<bool> RunAsync(LocalCluster cluster, CancellationToken cancellationToken)
    {
        await using var picture = new LivePicture(cluster, output, terminal);
        var log = new FrameLogScenarios(cluster, picture);
        var database = new DatabaseScenarios(cluster, picture);
        var scenarios = log.All.Concat(database.All).ToList();
        if (options.Only?.Except(scenarios.Select(s => s.Name)).FirstOrDefault() is { } unknown)
        {
            throw new ArgumentException($"no scenario '{unknown}': {string.Join("; ", scenarios.Select(s => s.Name))}");
        }

        var wrong = new List<string>();
        await using var reader = HasWindows ? new WindowReader(cluster.Postgres.ConnectionString) : null;
        await PlayAsync("storm of kills", c => StormAsync(cluster, picture, c));
        foreach (var (name, play) in scenarios.Where(s => options.Only?.Contains(s.Name) ?? true))
        {
            await PlayAsync(name, play);
        }

        foreach (var lost in await database.LostAsync(cancellationToken))
        {
            await picture.SayAsync($"booked as lost: {lost}");
        }

        if (reader is null)
        {
            await picture.SayAsync("windows: NOT JUDGED: another version of the cloud runs");
        }
        else
        {
            wrong.AddRange(await JudgeWindowsAsync(cluster, reader, picture, cancellationToken));
        }

        if (cluster.Broker is { } broker)
        {
            Alerts = await AlertVerdict.ReadAsync(
                cluster.Postgres.ConnectionString, broker, options.DrainWithin, cancellationToken);
            await picture.SayAsync(
                $"alerts: {Alerts.InDatabase} transitions in the database, {Alerts.InTopic} records in {broker.Name}");
            foreach (var question in Alerts.NotJudged)
            {
                await picture.SayAsync($"alerts: NOT JUDGED without a real Kafka: {question}");
            }

            wrong.AddRange(Alerts.Faults);
        }

        await picture.SayAsync(
            wrong.Count == 0
                ? "VERDICT: the books balance" : $"VERDICT: THE BOOKS ARE WRONG: {string.Join("; ", wrong)}");
        return wrong.Count == 0;

        async Task PlayAsync(string name, Func<CancellationToken, Task> play)
        {
            await picture.SayAsync($"== {name}");
            await play(cancellationToken);
            await cluster.WaitUntilDrainedAsync(options.DrainWithin, cancellationToken);
            Last = await cluster.JudgeAsync(cancellationToken);
            await picture.SayAsync($"{name}: the books {(Last.Balanced ? "balance" : "ARE WRONG")}\n{Last}");
            if (!Last.Balanced)
            {
                wrong.Add(name);
            }
        }
    }

    // A stop in order writes the parts that are in the processor's memory.
    private async Task<IReadOnlyList<string>> JudgeWindowsAsync(
        LocalCluster cluster, WindowReader reader, LivePicture picture, CancellationToken cancellationToken)
    {
        await cluster.Processor.StopAsync();
        var seen = await reader.EndAsync();
        WindowLooks = reader.Looks;
        Windows = await WindowVerdict.ReadAsync(cluster.Postgres.ConnectionString, cancellationToken);
        await picture.SayAsync(
            $"windows: {Windows.Complete} complete, {Windows.Stored} readings, read {WindowLooks} times meanwhile");
        return [.. Windows.Faults, .. seen.Select(fault => $"read meanwhile: {fault}")];
    }

    private async Task StormAsync(LocalCluster cluster, LivePicture picture, CancellationToken cancellationToken)
    {
        var faults = new Faults(cluster, picture);
        await cluster.BeginAsync();
        for (var round = 1; round <= options.Rounds; round++)
        {
            await picture.SayAsync($"round {round} of {options.Rounds}");
            foreach (var strike in Round(faults, round, cancellationToken))
            {
                await Task.Delay(Breath, cancellationToken);
                await strike();
            }
        }

        Struck = faults.Struck;
        while ((await cluster.AgentsAsync(cancellationToken)).Sum(a => a.Accepted) < options.Readings)
        {
            await Task.Delay(Breath, cancellationToken);
        }

        await cluster.EndAsync();
        foreach (var (what, times) in faults.Struck)
        {
            await picture.SayAsync($"{times} times with frames in flight: {what}");
        }
    }

    private IEnumerable<Func<Task>> Round(Faults faults, int round, CancellationToken cancellationToken)
    {
        yield return () => faults.KillProcessorAsync(cancellationToken);
        yield return () => faults.KillIngressAsync(cancellationToken);
        yield return () => faults.KillAgentAsync(cancellationToken);
        yield return () => faults.KillNatsAsync(cancellationToken);
        yield return () => faults.StopPostgresAsync(cancellationToken);
        if (options.Cluster.WithSite)
        {
            yield return () => faults.KillSiteAsync(cancellationToken);
        }

        if (options.Cluster.WithAlerts)
        {
            yield return () => faults.KillRelayAsync(cancellationToken);
        }

        Func<Task>[] more =
        [
            () => faults.CrashProcessorAsync("after-copy:3", cancellationToken),
            () => faults.CrashProcessorAsync(HasWindows ? "after-parts:3" : "after-copy:3", cancellationToken),
            () => faults.CrashProcessorAsync("after-commit:3", cancellationToken),
            () => faults.CrashAgentAsync("before-send:3", cancellationToken),
            () => faults.CutLinkAsync(TimeSpan.FromSeconds(4), CutKind.Reset, cancellationToken),
            () => faults.CutLinkAsync(TimeSpan.FromSeconds(6), CutKind.Silent, cancellationToken),
            () => faults.KillFleetAsync(cancellationToken),
        ];
        for (var i = 0; i < more.Length; i++)
        {
            // Each once in every two rounds; all of them where there is one round only.
            if (options.Rounds == 1 || (i + round) % 2 == 0)
            {
                yield return more[i];
            }
        }
    }
}
