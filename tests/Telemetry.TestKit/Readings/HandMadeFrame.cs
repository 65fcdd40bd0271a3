using System.IO.Hashing;
using Telemetry.Model.Frames;
using Telemetry.Model.Frames.Columns;
using Telemetry.Model.Wire;

namespace Telemetry.TestKit.Readings;

/// <summary>
/// A frame put together by hand, as strangers may send it and no writer makes it: its checksum is right, and nothing
/// else need be. As it is it has one reading, of an Int 0 at time 0.
/// </summary>
internal sealed record HandMadeFrame
{
    private const byte CompactLayout = 1;

    /// <summary>Version (high 4 bits) and kind.</summary>
    public byte First { get; init; } = 0x10;

    public byte Bits { get; init; }

    public ulong Epoch { get; init; } = 7;

    public long Sequence { get; init; } = 1;

    public int Count { get; init; } = 1;

    /// <summary>Writes what stands between the count and the schema.</summary>
    public Action<WireWriter>? Dropped { get; init; }

    /// <summary>Writes what stands between the schema and the payload.</summary>
    public Action<WireWriter>? Parts { get; init; }

    public Action<WireWriter> Payload { get; init; } = Compact(bits => Values(bits, 1, b => Integers(b, 0)));

    /// <summary>The frame's bytes.</summary>
    public byte[] Seal()
    {
        var writer = new WireWriter(FrameHeader.BytesMax);
        writer.Byte(First);
        writer.Byte(Bits);
        writer.UInt64(Epoch);
        writer.Varint(Sequence);
        writer.Varint((ulong)Count);
        Dropped?.Invoke(writer);
        writer.UInt64(1);
        writer.UInt64(2);
        Parts?.Invoke(writer);
        Payload(writer);
        writer.UInt64(XxHash64.HashToUInt64(writer.Written));
        return writer.ToArray();
    }

    /// <summary>A payload of compact columns.</summary>
    public static Action<WireWriter> Compact(Action<BitWriter> groups, byte[]? texts = null) => writer =>
    {
        var bits = new BitWriter();
        groups(bits);
        writer.Byte(CompactLayout);
        writer.Bytes(bits.Finish());
        writer.Bytes(texts);
    };

    /// <summary>
    /// A frame of one group of texts, all of whose readings have the first of <paramref name="distinct"/> texts of
    /// <paramref name="length"/> bytes each; <paramref name="texts"/> are the bytes behind the columns, right or wrong.
    /// </summary>
    public static HandMadeFrame OfTexts(int count, int distinct, int length, bool isDeflated, byte[] texts) => new()
    {
        Count = count,
        Payload = Compact(
            bits =>
            {
                Values(bits, count, values =>
                {
                    values.Number((ulong)distinct, NumberContext.Count);
                    values.Number((ulong)length, NumberContext.Count);
                    if (distinct > 1)
                    {
                        Prediction(values, PredictionKind.Constant);
                        Prediction(values, PredictionKind.Constant);
                    }
                });
                bits.Bit(isDeflated);
            },
            texts),
    };

    /// <summary>Columns of one group, all of whose readings are of time 0 and have values.</summary>
    public static void Values(BitWriter bits, int count, Action<BitWriter> values)
    {
        Group(bits, count, 1);
        Times(bits, count);
        bits.Bit(false);
        values(bits);
    }

    /// <summary>The beginning of a group of the next series.</summary>
    public static void Group(BitWriter bits, int count, int countBefore)
    {
        bits.Gamma(1);
        bits.Bit(count == countBefore);
        if (count != countBefore)
        {
            bits.Number((ulong)count, NumberContext.Count);
        }
    }

    /// <summary>A group's own column of times, all of them that of the last own column.</summary>
    public static void Times(BitWriter bits, int count)
    {
        bits.Bit(false);
        bits.Number(0, NumberContext.Time);
        if (count > 1)
        {
            bits.Write(0, 2);
            Prediction(bits, PredictionKind.Constant);
        }
    }

    /// <summary>The beginning of a plain column of integers of the last form.</summary>
    public static void Integers(BitWriter bits, ulong zigzag)
    {
        bits.Bit(true);
        bits.Number(zigzag, NumberContext.FirstInteger);
    }

    /// <summary>The form of a column of values, where it is not the last one.</summary>
    public static void Form(BitWriter bits, ValueForm form)
    {
        bits.Bit(false);
        bits.Write((ulong)form, 3);
    }

    public static void Prediction(BitWriter bits, PredictionKind prediction) => bits.Write((ulong)prediction, 3);
}
