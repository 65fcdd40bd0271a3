using System.IO.Compression;
using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Model.Wire;

namespace Telemetry.TestKit.Readings;

/// <summary>How large readings become as frames: whole live frames with a promise, checksum included.</summary>
internal static class SealedSizes
{
    private const ulong Epoch = 0x1234_5678_9abc_def0;
    private const long FirstSequence = 1_000_000;

    public static byte[] Frame(ReadingBatch batch, ReadOnlySpan<MetricType> types, byte version)
    {
        var writer = new WireWriter(FrameHeader.BytesMax);
        FrameWriter.Write(writer, Header(batch.Count, version), [], batch, Order(batch), types);
        return writer.ToArray();
    }

    /// <summary>
    /// The bytes of the same frame with plain columns through zlib at its best, where no limit cuts it.
    /// </summary>
    public static int Zlib(ReadingBatch batch, ReadOnlySpan<MetricType> types)
    {
        var plain = new WireWriter(FrameHeader.BytesMax);
        Header(batch.Count, 0).Write(plain);
        ReadingColumns.Write(plain, batch, Order(batch), types);
        var into = new MemoryStream();
        using (var zlib = new ZLibStream(into, new ZLibCompressionOptions { CompressionLevel = 9 }, leaveOpen: true))
        {
            zlib.Write(plain.Written);
        }

        return (int)into.Length + FrameHeader.ChecksumBytes;
    }

    private static FrameHeader Header(int count, byte version)
    {
        var key = new FrameKey(Epoch, Lane.Live, FirstSequence, count);
        return new FrameHeader
        {
            Version = version,
            Key = key,
            Schema = new SchemaId(0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210),
            Promise = new Promise(
                1_700_000_000_000_000, [new(Epoch, new LaneLasts(0, key.Last, FirstSequence))],
                Digest: 0x0fed_cba9_8765_4321),
        };
    }

    private static int[] Order(ReadingBatch batch)
    {
        var order = new int[batch.Count];
        batch.Order(order);
        return order;
    }
}
