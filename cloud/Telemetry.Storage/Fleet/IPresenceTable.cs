namespace Telemetry.Storage.Fleet;

/// <summary>Where is kept which gateways are connected. Errors are <see cref="StoreException"/>.</summary>
public interface IPresenceTable
{
    /// <summary>
    /// Writes what ingresses said, in one transaction. A row of a gateway changes when it is of the same session, or
    /// when it is newer: its session began later, or the one that is known has ended or its ingress is silent. The end
    /// of a session other than the known one changes nothing. Rows that would change nothing cost no write.
    /// </summary>
    Task WriteAsync(
        IReadOnlyList<IngressRunRow> runs, IReadOnlyList<PresenceRow> rows, CancellationToken cancellationToken);
}

/// <summary>A run of an ingress that is alive now.</summary>
/// <param name="Run">Random for each run.</param>
/// <param name="Ingress">The name of its process.</param>
public readonly record struct IngressRunRow(ulong Run, string Ingress);

/// <summary>The connection of one gateway, as an ingress said it.</summary>
/// <param name="Gateway">The gateway.</param>
/// <param name="Run">The run of the ingress.</param>
/// <param name="Session">Grows with each connection to that run.</param>
/// <param name="Connected">True while it is connected.</param>
/// <param name="SinceMicros">Since when, in microseconds since 1970 UTC.</param>
/// <param name="Version">The agent's version; empty when not known.</param>
/// <param name="ClockOffsetMicros">The agent's clock less the ingress' one; null when not known.</param>
/// <param name="ClockSynchronised">True when the agent says that its clock is synchronised.</param>
public sealed record PresenceRow(
    string Gateway, ulong Run, long Session, bool Connected, long SinceMicros, string Version, long? ClockOffsetMicros,
    bool ClockSynchronised);
