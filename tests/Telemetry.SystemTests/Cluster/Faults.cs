using Telemetry.SystemTests.Showing;
using Telemetry.TestKit.Network;

namespace Telemetry.SystemTests.Cluster;

/// <summary>What is done to a cluster. Each says what was in flight at that moment, then heals it again.</summary>
public sealed class Faults(LocalCluster cluster, LivePicture picture)
{
    private static readonly TimeSpan InFlightWithin = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan CrashWithin = TimeSpan.FromSeconds(60);

    /// <summary>How long something stays dead.</summary>
    public TimeSpan Dead { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How often each fault struck while frames were in flight.</summary>
    public Dictionary<string, int> Struck { get; } = [];

    public Task KillIngressAsync(CancellationToken cancellationToken) => StrikeAsync(
        "SIGKILL ingress", cluster.Ingress.KillAsync, cluster.StartIngressAsync, cancellationToken);

    public Task KillProcessorAsync(CancellationToken cancellationToken) => StrikeAsync(
        "SIGKILL processor", cluster.Processor.KillAsync, () => cluster.StartProcessorAsync(), cancellationToken);

    public Task KillAgentAsync(CancellationToken cancellationToken) => StrikeAsync(
        "SIGKILL agent", cluster.Lone.KillAsync, () => cluster.StartLoneAsync(), cancellationToken,
        agents => agents.Where(a => a.Gateway == LocalCluster.LoneGateway));

    public Task KillFleetAsync(CancellationToken cancellationToken) => StrikeAsync(
        "SIGKILL fleet", cluster.Fleet.KillAsync, cluster.StartFleetAsync, cancellationToken);

    public Task KillRelayAsync(CancellationToken cancellationToken) => StrikeAsync(
        "SIGKILL relay", cluster.Relay.KillAsync, cluster.StartRelayAsync, cancellationToken);

    /// <summary>
    /// The agent that takes line protocol: what its sender was not answered is sent again under the same key.
    /// </summary>
    public Task KillSiteAsync(CancellationToken cancellationToken) => StrikeAsync(
        "SIGKILL the agent of the HTTP input", cluster.Site.KillAsync, cluster.StartSiteAsync, cancellationToken,
        agents => agents.Where(a => a.Gateway == LocalCluster.SiteGateway));

    public Task KillNatsAsync(CancellationToken cancellationToken) => StrikeAsync(
        "SIGKILL nats-server", cluster.Nats.Kill, cluster.Nats.Restart, cancellationToken);

    public Task StopPostgresAsync(CancellationToken cancellationToken) => StrikeAsync(
        "immediate stop of PostgreSQL", cluster.Postgres.ImmediateStop, cluster.Postgres.Start, cancellationToken);

    /// <summary>Cuts the link of all agents for a time, so that nobody is told.</summary>
    public async Task CutLinkAsync(TimeSpan length, CutKind kind, CancellationToken cancellationToken)
    {
        await SayInFlightAsync(
            $"link cut ({(kind == CutKind.Silent ? "silently" : "reset")}) for {length.TotalSeconds:0} s",
            cancellationToken);
        cluster.Link.Cut(kind);
        await Task.Delay(length, cancellationToken);
        cluster.Link.Heal();
        await picture.SayAsync("link healed");
    }

    /// <summary>The processor kills itself at a named point, and is started again.</summary>
    public async Task CrashProcessorAsync(string point, CancellationToken cancellationToken)
    {
        await cluster.Processor.StopAsync();
        await cluster.StartProcessorAsync(point);
        await CrashedAsync(
            "processor", cluster.Processor, point, () => cluster.StartProcessorAsync(), cancellationToken);
    }

    /// <summary>The lone agent kills itself at a named point, and is started again.</summary>
    public async Task CrashAgentAsync(string point, CancellationToken cancellationToken)
    {
        await cluster.Lone.StopAsync();
        await cluster.StartLoneAsync(point);
        await CrashedAsync("agent", cluster.Lone, point, () => cluster.StartLoneAsync(), cancellationToken);
    }

    /// <summary>Waits until frames are in flight, says how many, and does it.</summary>
    public async Task StrikeAsync(
        string what, Func<Task> strike, Func<Task> heal, CancellationToken cancellationToken,
        Func<IEnumerable<GatewayStatus>, IEnumerable<GatewayStatus>>? whose = null)
    {
        await SayInFlightAsync(what, cancellationToken, whose);
        await strike();
        await Task.Delay(Dead, cancellationToken);
        await heal();
    }

    private async Task SayInFlightAsync(
        string what, CancellationToken cancellationToken,
        Func<IEnumerable<GatewayStatus>, IEnumerable<GatewayStatus>>? whose = null)
    {
        whose ??= agents => agents;
        var agents = await cluster.WaitUntilAsync(
            $"frames in flight for '{what}'", all => whose(all).Any(a => a.FramesInFlight > 0), InFlightWithin,
            cancellationToken);
        var those = whose(agents).ToList();
        var awaiting = those.Sum(a => a.FramesAwaitingPubAck);
        Struck[what] = Struck.GetValueOrDefault(what) + 1;
        await picture.SayAsync(
            $"{what}; in flight: {those.Sum(a => a.FramesInFlight)} frames, {those.Sum(a => a.InFlight)} readings "
            + $"({awaiting} frames without a PUBACK)");
    }

    private async Task CrashedAsync(
        string who, DotnetProcess process, string point, Func<Task> heal, CancellationToken cancellationToken)
    {
        await process.WaitForCrashAsync(CrashWithin);
        var agents = await cluster.AgentsAsync(cancellationToken);
        var what = $"{who} killed itself at '{point.Split(':')[0]}'";
        Struck[what] = Struck.GetValueOrDefault(what) + 1;
        await picture.SayAsync(
            $"{what}; in flight: {agents.Sum(a => a.FramesInFlight)} frames, {agents.Sum(a => a.InFlight)} readings");
        await Task.Delay(Dead, cancellationToken);
        await heal();
    }
}
