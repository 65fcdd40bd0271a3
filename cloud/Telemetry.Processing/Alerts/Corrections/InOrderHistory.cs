namespace Telemetry.Processing.Alerts.Corrections;

/// <summary>What a run of one rule over the stored readings of one series found.</summary>
/// <param name="Carried">The published instance that was open at its beginning; 0 for none.</param>
/// <param name="FromMicros">Readings after this time were evaluated.</param>
/// <param name="ThroughMicros">The readings up to this time were evaluated.</param>
/// <param name="Found">The instances, in the order of time; only the last one may be open.</param>
/// <param name="PublishedThrough">
/// Instances after this time were too many and are not among <paramref name="Found"/>, except an open one.
/// </param>
internal sealed record InOrderHistory(
    UInt128 Carried, long FromMicros, long ThroughMicros, IReadOnlyList<AlertInstance> Found, long PublishedThrough);
