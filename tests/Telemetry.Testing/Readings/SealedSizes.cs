using System.IO.Compression;
using Telemetry.Model;
using Telemetry.Model.Frames;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Model.Wire;

namespace Telemetry.Testing.Readings;

/// <summary>How large readings become as frames: whole live frames with a promise, checksum included.</summary>
internal static class SealedSizes
{
    private const ulong Epoch = 0x1234_5678_9abc_def0;
    private const long FirstSequence = 1_000_000;

    public static byte[] Frame(ReadingBatch batch, ReadOnlySpan<MetricType> types, byte version)
    {
        var order = new int[batch.Count];
        batch.Order(order);
        var key = new FrameKey(Epoch, Lane.Live, FirstSequence, batch.Count);
        var header = new FrameHeader
        {
            Version = version,
            Key = key,
            Schema = new SchemaId(1, 2),
            Promise = new Promise(
                1_700_000_000_000_000, [new(Epoch, new LaneLasts(0, key.Last, FirstSequence))], Digest: 0x0fed_cba9_8765_4321),
        };
        var writer = new WireWriter(256 * 1024);
        FrameWriter.Write(writer, header, [], batch, order, types);
        return writer.ToArray();
    }

    /// <summary>The bytes of the same frame with plain columns through zlib at its best.</summary>
    public static int Zlib(ReadingBatch batch, ReadOnlySpan<MetricType> types)
    {
        var into = new MemoryStream();
        using (var zlib = new ZLibStream(into, new ZLibCompressionOptions { CompressionLevel = 9 }, leaveOpen: true))
        {
            zlib.Write(Frame(batch, types, 0));
        }

        return (int)into.Length;
    }
}
