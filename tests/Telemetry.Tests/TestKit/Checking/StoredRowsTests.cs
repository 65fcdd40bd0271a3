using System.Buffers.Binary;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.TestKit.Checking;

namespace Telemetry.Tests.TestKit.Checking;

public sealed class StoredRowsTests
{
    private static readonly SeriesIdentity Series = new(7, 8);

    [Fact]
    public async Task Rows_are_the_same_over_every_split_of_the_bytes()
    {
        var copy = Copy(
            Row(1, 2, 0, null, 1.5, null), Row(3, 4, 0, -7, null, null), Row(5, 6, 0, null, null, "text"u8.ToArray()));
        var whole = await Read(new MemoryStream(copy));
        Assert.Equal(3, whole.Count);

        for (var split = 0; split <= copy.Length; split++)
        {
            Assert.Equal(whole, await Read(new SplitStream(copy, split)));
        }
    }

    [Fact]
    public async Task A_copy_that_ends_early_is_an_error() =>
        await Assert.ThrowsAsync<EndOfStreamException>(
            () => Read(new MemoryStream(Copy(Row(1, 2, 0, 1, null, null))[..^3])));

    [Fact]
    public void A_scaled_integer_is_the_float_that_was_sent()
    {
        foreach (var value in (double[])[0.07, -12.34, 1e10, 0])
        {
            var row = Reading(1, 2, (2 + 1) << 8, (long)Math.Round(value * 100), null);
            Assert.True(row.TryHash(Series, MetricType.Float, out var hash));
            Assert.Equal(ReadingHash.Of(Series, 2, MetricType.Float, BitConverter.DoubleToUInt64Bits(value), 0), hash);
        }
    }

    [Fact]
    public void One_bit_makes_another_hash()
    {
        var value = BitConverter.UInt64BitsToDouble(BitConverter.DoubleToUInt64Bits(1.5) ^ 1);
        Assert.True(Reading(1, 2, 0, null, 1.5).TryHash(Series, MetricType.Float, out var one));
        Assert.True(Reading(1, 2, 0, null, value).TryHash(Series, MetricType.Float, out var other));
        Assert.NotEqual(one, other);
    }

    [Fact]
    public void Quality_is_part_of_the_hash_and_the_kept_decimals_are_not()
    {
        Assert.True(Reading(1, 2, 1 | (3 << 8), 150, null).TryHash(Series, MetricType.Float, out var hash));
        Assert.Equal(
            ReadingHash.Of(
                Series, 2, MetricType.Float, BitConverter.DoubleToUInt64Bits(1.5), (ReadingFlags)Quality.Uncertain),
            hash);
    }

    [Fact]
    public void Columns_that_do_not_fit_the_type_make_no_reading()
    {
        Assert.False(Reading(1, 2, 0, 1, 1.5).TryHash(Series, MetricType.Float, out _));
        Assert.False(Reading(1, 2, 0, null, null).TryHash(Series, MetricType.Float, out _));
        Assert.False(Reading(1, 2, 0, 5, null).TryHash(Series, MetricType.Float, out _));
        Assert.False(Reading(1, 2, 0, null, 1.5).TryHash(Series, MetricType.Int, out _));
        Assert.False(Reading(1, 2, (int)ReadingFlags.Null, 1, null).TryHash(Series, MetricType.Int, out _));
        Assert.False(Reading(1, 2, 0, 1, null).TryHash(Series, MetricType.Text, out _));
    }

    private static StoredRow Reading(int series, long time, int flags, long? i, double? f) => new()
    {
        Series = series,
        Time = time,
        Flags = flags,
        Integer = i,
        Float = f,
        HasText = false,
        Text = default,
    };

    private static async Task<List<string>> Read(Stream copy)
    {
        var rows = new List<string>();
        await new StoredRows(copy).ReadAllAsync(
            (in StoredRow row) => rows.Add(
                $"{row.Series} {row.Time} {row.Flags} {row.Integer} {row.Float} "
                + $"{Convert.ToHexString(row.Text)}"),
            CancellationToken.None);
        return rows;
    }

    private static byte[] Copy(params byte[][] rows) =>
        [.. "PGCOPY"u8, 10, 0xff, 13, 10, 0, .. new byte[8], .. rows.SelectMany(r => r), 0xff, 0xff];

    private static byte[] Row(int series, long time, short flags, long? i, double? f, byte[]? t) =>
    [
        0, 6,
        .. Column(Big(series)[4..]), .. Column(Big(time)),
        .. Column([(byte)(flags >> 8), (byte)flags]),
        .. Column(i is { } integer ? Big(integer) : null),
        .. Column(f is { } value ? Big(BitConverter.DoubleToInt64Bits(value)) : null),
        .. Column(t),
    ];

    private static byte[] Big(long value)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(bytes, value);
        return bytes;
    }

    private static byte[] Column(byte[]? value) => value is null
        ? [0xff, 0xff, 0xff, 0xff]
        : [0, 0, 0, (byte)value.Length, .. value];

    /// <summary>Gives the bytes in two parts.</summary>
    private sealed class SplitStream(byte[] bytes, int split) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(
                Position < split ? buffer[..(int)Math.Min(buffer.Length, split - Position)] : buffer,
                cancellationToken);
    }
}
