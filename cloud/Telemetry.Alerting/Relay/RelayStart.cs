namespace Telemetry.Alerting.Relay;

/// <summary>Where a relay continues.</summary>
/// <param name="Positions">It continues after these rows.</param>
/// <param name="Skip">Ids that are in the topic and may occur in the outbox again.</param>
/// <param name="Skipping">Written with every position from here on.</param>
internal sealed record RelayStart(
    Dictionary<int, RelayPosition> Positions, PublishedIds Skip, DuplicateFilterWindow Skipping);
