using System.Buffers.Binary;
using System.IO.Hashing;
using System.Numerics;
using System.Text;
using Telemetry.Model.Identity;
using Telemetry.Model.Schemas;
using Telemetry.Model.Wire;

namespace Telemetry.TestKit.Messages;

/// <summary>
/// Makes a series of one gateway whose XxHash64 equals that of another gateway's series, as a hostile gateway could:
/// the hash is invertible, so the last eight letters of the metric are computed, for one device name after another
/// until they are ASCII (about every 256th).
/// </summary>
public static class ForgedSeries
{
    private const ulong P1 = 0x9E37_79B1_85EB_CA87;
    private const ulong P2 = 0xC2B2_AE3D_27D4_EB4F;
    private const ulong P3 = 0x1656_67B1_9E37_79F9;
    private const ulong P4 = 0x85EB_CA77_C2B2_AE63;

    /// <summary>XxHash64 over gateway, device, metric, labels and type: what once was a series' key.</summary>
    public static ulong KeyOf(GatewayId gateway, SeriesDefinition series) =>
        XxHash64.HashToUInt64(Bytes(gateway, series));

    /// <summary>A series of <paramref name="gateway"/> that has the key of another one's.</summary>
    public static SeriesDefinition Of(GatewayId gateway, ulong key)
    {
        for (var attempt = 0; ; attempt++)
        {
            var series = new SeriesDefinition { Device = $"device {attempt:d6}", Metric = new string('m', 8) };
            var missing = (10 - (Bytes(gateway, series).Length % 32) + 32) % 32;
            series = series with { Device = series.Device + new string('-', missing) };
            var bytes = Bytes(gateway, series);
            BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(bytes.Length - 10), LastWord(bytes, key));
            if (Ascii.IsValid(bytes.AsSpan(bytes.Length - 10, 8)))
            {
                return series with { Metric = Encoding.ASCII.GetString(bytes, bytes.Length - 10, 8) };
            }
        }
    }

    // The word before the last two bytes, both 0, with which the whole hashes to the key.
    private static ulong LastWord(byte[] bytes, ulong key)
    {
        var hash = key;
        hash = Unshift(hash, 32) * Inverse(P3);
        hash = Unshift(hash, 29) * Inverse(P2);
        hash = Unshift(hash, 33);
        hash = BitOperations.RotateRight(hash * Inverse(P1), 11);
        hash = BitOperations.RotateRight(hash * Inverse(P1), 11);
        var round = BitOperations.RotateRight((hash - P4) * Inverse(P1), 27) ^ Stripes(bytes);
        return BitOperations.RotateRight(round * Inverse(P1), 31) * Inverse(P2);
    }

    // The hash's state after all whole stripes of 32 bytes; there is at least one.
    private static ulong Stripes(byte[] bytes)
    {
        unchecked
        {
            ulong a = P1 + P2, b = P2, c = 0, d = 0 - P1;
            for (var at = 0; at + 32 <= bytes.Length; at += 32)
            {
                a = Round(a, Word(bytes, at));
                b = Round(b, Word(bytes, at + 8));
                c = Round(c, Word(bytes, at + 16));
                d = Round(d, Word(bytes, at + 24));
            }

            var hash = BitOperations.RotateLeft(a, 1) + BitOperations.RotateLeft(b, 7)
                + BitOperations.RotateLeft(c, 12) + BitOperations.RotateLeft(d, 18);
            foreach (var lane in (ulong[])[a, b, c, d])
            {
                hash = ((hash ^ Round(0, lane)) * P1) + P4;
            }

            return hash + (ulong)bytes.Length;
        }
    }

    private static ulong Round(ulong lane, ulong word) =>
        unchecked(BitOperations.RotateLeft(lane + (word * P2), 31) * P1);

    private static ulong Word(byte[] bytes, int at) => BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(at));

    /// <summary>Undoes <c>x ^= x >> bits</c> for shifts of 22 bits or more.</summary>
    private static ulong Unshift(ulong value, int bits) =>
        value ^ (value >> bits) ^ (bits * 2 < 64 ? value >> (bits * 2) : 0);

    // Newton's method, mod 2^64.
    private static ulong Inverse(ulong odd)
    {
        var inverse = odd;
        for (var i = 0; i < 6; i++)
        {
            inverse = unchecked(inverse * (2 - (odd * inverse)));
        }

        return inverse;
    }

    private static byte[] Bytes(GatewayId gateway, SeriesDefinition series)
    {
        var writer = new WireWriter();
        writer.Text(gateway.Value);
        writer.Text(series.Device);
        writer.Text(series.Metric);
        writer.Varint((ulong)series.Labels.Count);
        foreach (var label in series.Labels)
        {
            writer.Text(label.Key);
            writer.Text(label.Value);
        }

        writer.Byte((byte)series.Type);
        return writer.ToArray();
    }
}
