namespace Telemetry.Storage.Alerts;

/// <summary>A record that was read back from the topic.</summary>
/// <param name="Id">The transition's id.</param>
/// <param name="Partition">The outbox partition that it came from.</param>
/// <param name="Head">Its number and chain there.</param>
/// <param name="SinceMillis">From when on its relay searched for duplicates, Unix time; 0 when nothing was
/// skipped.</param>
/// <param name="Json">The transition.</param>
public sealed record PublishedAlert(
    string Id, int Partition, AlertHead Head, long SinceMillis, ReadOnlyMemory<byte> Json);
