namespace Telemetry.Alerting.Relay;

/// <summary>The content of one transaction.</summary>
/// <param name="Records">The records, in the order of the outbox's numbers.</param>
/// <param name="Positions">The positions of every partition that the batch moves.</param>
/// <param name="Skipped">Rows whose id is in the topic already.</param>
internal sealed record RelayBatch(
    IReadOnlyList<AlertRecord> Records, IReadOnlyDictionary<int, RelayPosition> Positions, int Skipped);
