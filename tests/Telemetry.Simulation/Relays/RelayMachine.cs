using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Alerting.Relay;
using Telemetry.Simulation.Worlds;
using Telemetry.Storage.Alerts;
using Telemetry.TestKit.Simulated;
using Telemetry.TestKit.Time;

namespace Telemetry.Simulation.Relays;

/// <summary>What a world puts in the place of a relay's ordinary parts, to plant a bug.</summary>
internal sealed record RelayParts
{
    public static readonly RelayParts Ordinary = new();

    /// <summary>True: no relay dies and no database is put back, the lease is taken away again and again.</summary>
    public bool OnlyLeases { get; init; }

    public Func<IAlertSink, IAlertSink> Sink { get; init; } = sink => sink;

    public Func<IAlertOutbox, IAlertSink, IAlertOutbox> Outbox { get; init; } = (outbox, _) => outbox;
}

/// <summary>A relay process on a machine of its own.</summary>
internal static class RelayMachine
{
    public static readonly RelayOptions Options = new()
    {
        Lease = TimeSpan.FromSeconds(3),
        RenewEvery = TimeSpan.FromMilliseconds(500),
        LeaseRetry = TimeSpan.FromMilliseconds(500),
        PollEvery = TimeSpan.FromMilliseconds(50),
        BatchRowsMax = 12,
        RetryAfterMax = TimeSpan.FromSeconds(2),
        ReadBackMargin = TimeSpan.FromSeconds(1),
    };

    public static Machine Make(
        string name, Pump pump, Trace trace, Random random, SimulatedStore store, SimulatedAlertSink sink,
        RelayParts parts) =>
        new(name, pump, trace, random, (life, stop) =>
        {
            var seen = parts.Sink(sink);
            var relay = new AlertRelay(
                seen, parts.Outbox(new SimulatedAlertOutbox(store), seen), Options with { Owner = name }, life.Time,
                new Random(random.Next()), NullLogger.Instance);
            return relay.RunAsync(stop);
        });
}
