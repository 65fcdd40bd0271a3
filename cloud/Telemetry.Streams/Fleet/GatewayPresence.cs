using Telemetry.Model.Identity;

namespace Telemetry.Streams.Fleet;

/// <summary>What an ingress knows of the connection of one gateway.</summary>
/// <param name="Gateway">The gateway.</param>
/// <param name="Connected">True while it has a session at that ingress.</param>
/// <param name="SinceMicros">Since when, by the ingress' clock.</param>
/// <param name="Session">Grows with each connection of any gateway to that run of the ingress.</param>
public readonly record struct GatewayPresence(GatewayId Gateway, bool Connected, long SinceMicros, long Session)
{
    /// <summary>The agent's version as it said it; empty when it did not.</summary>
    public string Version { get; init; } = "";

    /// <summary>
    /// The agent's clock less the ingress' one, in microseconds; null when not known. The time that a message is under
    /// way counts as the agent being slow, so the greatest of a few minutes is taken.
    /// </summary>
    public long? ClockOffsetMicros { get; init; }

    /// <summary>True when the agent says that its clock is synchronised.</summary>
    public bool ClockSynchronised { get; init; }
}
