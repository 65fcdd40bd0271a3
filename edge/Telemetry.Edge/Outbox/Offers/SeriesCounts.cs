using Telemetry.Model.Frames;
using Telemetry.Model.Readings;
using Telemetry.Model.Wire;

namespace Telemetry.Edge.Outbox.Offers;

/// <summary>
/// How many readings of which series a segment or frame covers. Stored beside its bytes, about two bytes for each
/// series, so that damaged readings can be declared series by series.
/// <code>
/// each: varint series index, varint count                       (to the end)
/// </code>
/// </summary>
public static class SeriesCounts
{
    /// <summary>The counts of rows that are sorted by series.</summary>
    public static byte[] OfRows(ReadingBatch batch, ReadOnlySpan<int> order, WireWriter scratch)
    {
        scratch.Clear();
        for (var start = 0; start < order.Length;)
        {
            var series = batch.Series[order[start]];
            var end = start;
            while (end < order.Length && batch.Series[order[end]] == series)
            {
                end++;
            }

            scratch.Varint((ulong)series);
            scratch.Varint((ulong)(end - start));
            start = end;
        }

        return scratch.ToArray();
    }

    /// <summary>The counts of declarations.</summary>
    public static byte[] OfDeclarations(ReadOnlySpan<Declaration> declarations, WireWriter scratch)
    {
        scratch.Clear();
        foreach (var declaration in declarations)
        {
            scratch.Varint((ulong)declaration.Series);
            scratch.Varint((ulong)declaration.Count);
        }

        return scratch.ToArray();
    }

    /// <summary>
    /// Declares all of <paramref name="count"/> readings with one reason. If the counts are missing, do not add up, or
    /// name a series that is not in the list, one declaration of <paramref name="fallbackSeries"/> replaces them.
    /// </summary>
    public static List<Declaration> Declare(
        byte[]? counts, int count, int fallbackSeries, int seriesCount, long timeFirst, long timeLast,
        DropReason reason)
    {
        var declarations = new List<Declaration>();
        if (counts is null || !TryRead(counts, count, seriesCount, timeFirst, timeLast, reason, declarations))
        {
            declarations.Clear();
            declarations.Add(new Declaration(fallbackSeries, count, timeFirst, timeLast, reason));
        }

        return declarations;
    }

    private static bool TryRead(
        byte[] counts, int count, int seriesCount, long timeFirst, long timeLast, DropReason reason,
        List<Declaration> into)
    {
        var reader = new WireReader(counts);
        var left = count;
        try
        {
            while (reader.Remaining > 0)
            {
                var series = (int)reader.Varint((long)(seriesCount - 1));
                var declared = (int)reader.Varint((long)left);
                left -= declared;
                into.Add(new Declaration(series, declared, timeFirst, timeLast, reason));
            }
        }
        catch (WireFormatException)
        {
            return false;
        }

        return left == 0;
    }
}
