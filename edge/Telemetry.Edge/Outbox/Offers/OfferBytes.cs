using Telemetry.Model.Readings;

namespace Telemetry.Edge.Outbox.Offers;

/// <summary>How many bytes waiting readings count against the quota.</summary>
public static class OfferBytes
{
    /// <summary>
    /// The most bytes of one reading without its text: the 16 bytes of plain columns and its share of their heads.
    /// Compact columns usually take two, so this value serves the quota only, and does not tell when a segment is full.
    /// </summary>
    private const int ReadingBytes = 17;

    public static long Of(ReadingBatch batch) => Of(batch.Count, batch.TextBytes);

    public static long Of(int readings, long textBytes) => ((long)readings * ReadingBytes) + textBytes;
}
