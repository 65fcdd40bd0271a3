namespace Telemetry.Storage.Windows;

/// <summary>How many readings were read back.</summary>
/// <param name="Gateways">The number of each gateway, in the order in which they were asked for.</param>
/// <param name="IsAll">False when there are more than could be read at once.</param>
public readonly record struct OpenReadingCounts(IReadOnlyList<int> Gateways, bool IsAll);
