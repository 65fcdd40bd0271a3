namespace Telemetry.Alerting.Relay;

/// <summary>Where a relay goes on.</summary>
/// <param name="Positions">Behind these rows.</param>
/// <param name="Skip">Ids that are in the topic and may come again.</param>
/// <param name="Skipping">Written with every position from here on.</param>
internal sealed record RelayStart(Dictionary<int, RelayPosition> Positions, PublishedIds Skip, DuplicateFilterWindow Skipping);
