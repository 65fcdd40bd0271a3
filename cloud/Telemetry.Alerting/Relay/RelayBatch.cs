namespace Telemetry.Alerting.Relay;

/// <summary>What one transaction publishes.</summary>
/// <param name="Records">In the order of the outbox's numbers.</param>
/// <param name="Positions">Of every partition that the batch moves.</param>
/// <param name="Skipped">Rows whose id is in the topic already.</param>
internal sealed record RelayBatch(
    IReadOnlyList<AlertRecord> Records, IReadOnlyDictionary<int, RelayPosition> Positions, int Skipped);
