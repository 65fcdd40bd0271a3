using System.Buffers.Binary;
using System.Numerics;
using Telemetry.Model.Schemas;

namespace Telemetry.Model.Readings;

/// <summary>
/// The <see cref="ReadingHash"/> of readings of one series, other than text: XxHash64 of 34 bytes. The first 16 are the
/// same for all and are taken once. Source: the specification of xxHash, "XXH64 Algorithm Description".
/// </summary>
internal readonly struct SeriesHash
{
    private const int Length = 34;

    private const ulong Prime1 = 0x9E37_79B1_85EB_CA87, Prime2 = 0xC2B2_AE3D_27D4_EB4F, Prime3 = 0x1656_67B1_9E37_79F9;
    private const ulong Prime4 = 0x85EB_CA77_C2B2_AE63, Prime5 = 0x27D4_EB2F_1656_67C5;

    private readonly ulong _lanes, _first, _second, _type;

    public SeriesHash(SeriesIdentity series, MetricType type)
    {
        // The identity is written big endian; lanes are read little endian.
        var first = Round(unchecked(Prime1 + Prime2), BinaryPrimitives.ReverseEndianness(series.High));
        var second = Round(Prime2, BinaryPrimitives.ReverseEndianness(series.Low));
        _lanes = BitOperations.RotateLeft(first, 1) + BitOperations.RotateLeft(second, 7);
        (_first, _second, _type) = (Round(0, first), Round(0, second), (byte)type * Prime5);
    }

    /// <summary>The hash of one reading.</summary>
    public ulong Of(long timeMicros, ulong bits, ReadingFlags flags)
    {
        var third = Round(0, (ulong)timeMicros);
        var fourth = Round(unchecked(0 - Prime1), bits);
        var hash = _lanes + BitOperations.RotateLeft(third, 12) + BitOperations.RotateLeft(fourth, 18);
        hash = ((hash ^ _first) * Prime1) + Prime4;
        hash = ((hash ^ _second) * Prime1) + Prime4;
        hash = ((hash ^ Round(0, third)) * Prime1) + Prime4;
        hash = ((hash ^ Round(0, fourth)) * Prime1) + Prime4;
        hash += Length;
        hash = BitOperations.RotateLeft(hash ^ _type, 11) * Prime1;
        hash = BitOperations.RotateLeft(hash ^ ((byte)flags * Prime5), 11) * Prime1;
        hash = (hash ^ (hash >> 33)) * Prime2;
        hash = (hash ^ (hash >> 29)) * Prime3;
        return hash ^ (hash >> 32);
    }

    private static ulong Round(ulong lane, ulong input) =>
        BitOperations.RotateLeft(lane + (input * Prime2), 31) * Prime1;
}
