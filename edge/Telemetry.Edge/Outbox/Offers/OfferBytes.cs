using Telemetry.Model.Readings;

namespace Telemetry.Edge.Outbox.Offers;

/// <summary>What readings that wait for a commit count against the quota.</summary>
public static class OfferBytes
{
    /// <summary>
    /// What one reading may need at most, text apart: the 16 bytes of plain columns and its share of their heads.
    /// Compact columns mostly take two, so this is good for the quota alone, never to tell when a segment is full.
    /// </summary>
    private const int ReadingBytes = 17;

    public static long Of(ReadingBatch batch) => Of(batch.Count, batch.TextBytes);

    public static long Of(int readings, long textBytes) => ((long)readings * ReadingBytes) + textBytes;
}
