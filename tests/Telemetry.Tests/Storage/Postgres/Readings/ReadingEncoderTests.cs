using Telemetry.Model.Identity;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Storage;
using Telemetry.Storage.Postgres.Readings;

namespace Telemetry.Tests.Storage.Postgres.Readings;

/// <summary>The bytes of a binary COPY, for both shapes that telemetry.reading has.</summary>
public sealed class ReadingEncoderTests
{
    private const string Head = "5047434F50590AFF0D0A00 00000000 00000000", End = "FFFF";

    // Times are microseconds since 2000: 946684800 s after 1970.
    private const string Time = "00000008 0000000000000005", Null = "FFFFFFFF";
    private const string Number = "00000004 00000102", Device = "00000004 00000007";

    [Fact]
    public void Without_device_a_row_is_time_i_f_series_flags_text()
    {
        Assert.Equal("COPY telemetry.reading (time, i, f, series, flags, t) FROM STDIN (FORMAT BINARY)", Sql(false));
        Assert.Equal(
            Bytes(
                Head,
                $"0006 {Time} {Null} 00000008 3FD5555555555555 {Number} 00000002 0001 {Null}",
                $"0006 {Time} 00000008 0000000000000096 {Null} {Number} 00000002 0300 {Null}",
                $"0006 {Time} 00000008 FFFFFFFFFFFFFFFF {Null} {Number} 00000002 0000 {Null}",
                $"0006 {Time} {Null} {Null} {Number} 00000002 0000 00000002 C3BC",
                $"0006 {Time} {Null} {Null} {Number} 00000002 0004 {Null}",
                End),
            Encode(withDevice: false));
    }

    [Fact]
    public void With_device_it_stands_in_front()
    {
        Assert.Equal(
            "COPY telemetry.reading (device, time, i, f, series, flags, t) FROM STDIN (FORMAT BINARY)", Sql(true));
        Assert.Equal(
            Bytes(
                Head,
                $"0007 {Device} {Time} {Null} 00000008 3FD5555555555555 {Number} 00000002 0001 {Null}",
                $"0007 {Device} {Time} 00000008 0000000000000096 {Null} {Number} 00000002 0300 {Null}",
                $"0007 {Device} {Time} 00000008 FFFFFFFFFFFFFFFF {Null} {Number} 00000002 0000 {Null}",
                $"0007 {Device} {Time} {Null} {Null} {Number} 00000002 0000 00000002 C3BC",
                $"0007 {Device} {Time} {Null} {Null} {Number} 00000002 0004 {Null}",
                End),
            Encode(withDevice: true));
    }

    [Theory]
    [InlineData(false, "time, i, f, series, flags", "0005")]
    [InlineData(true, "device, time, i, f, series, flags", "0006 00000004 00000007")]
    public void Where_no_row_has_a_text_that_column_is_left_out(bool withDevice, string columns, string begin)
    {
        var rows = new ReadingBuffer();
        rows.Add(Series(MetricType.Text), 946_684_800_000_005, ReadingFlags.Null, 0);
        Assert.False(rows.HasTexts);
        var encoder = new ReadingEncoder(withDevice);
        encoder.Begin(rows.HasTexts);

        Assert.Equal($"COPY telemetry.reading ({columns}) FROM STDIN (FORMAT BINARY)", encoder.CopySql);
        Assert.Equal(
            Bytes(Head, $"{begin} {Time} {Null} {Null} {Number} 00000002 0004", End),
            Convert.ToHexString(encoder.Next(rows).Span));

        rows.AddText(Series(MetricType.Text), 5, ReadingFlags.None, []);
        Assert.True(rows.HasTexts);
        rows.Clear();
        Assert.False(rows.HasTexts);
    }

    [Fact]
    public void Rows_can_go_to_a_part_of_the_table() => Assert.Equal(
        "COPY telemetry.reading_arrived (time, i, f, series, flags, t) FROM STDIN (FORMAT BINARY)",
        new ReadingEncoder(withDevice: false, new ReadingTable(IsPartitioned: true, HasDevice: false).CopyTarget)
            .CopySql);

    [Fact]
    public void Reading_of_a_series_without_a_number_is_not_written()
    {
        var rows = new ReadingBuffer();
        rows.Add(Series(MetricType.Int, number: 0), 5, 0, 1);
        var encoder = new ReadingEncoder(withDevice: false);
        encoder.Begin();

        Assert.Throws<InvalidOperationException>(() => encoder.Next(rows));
    }

    private static string Sql(bool withDevice) => new ReadingEncoder(withDevice).CopySql;

    private static string Encode(bool withDevice)
    {
        const long time = 946_684_800_000_005;
        var (number, text) = (Series(MetricType.Float, decimals: 2), Series(MetricType.Text));
        var rows = new ReadingBuffer();
        rows.Add(number, time, (ReadingFlags)(byte)Quality.Uncertain, BitConverter.DoubleToUInt64Bits(1 / 3.0));
        rows.Add(number, time, 0, BitConverter.DoubleToUInt64Bits(1.5));
        rows.Add(Series(MetricType.Int), time, 0, ulong.MaxValue);
        rows.AddText(text, time, 0, "ü"u8);
        rows.Add(text, time, ReadingFlags.Null, 0);
        var encoder = new ReadingEncoder(withDevice);
        encoder.Begin();
        var bytes = new MemoryStream();
        while (encoder.Next(rows) is { IsEmpty: false } chunk)
        {
            bytes.Write(chunk.Span);
        }

        return Convert.ToHexString(bytes.ToArray());
    }

    private static SeriesEntry Series(
        MetricType type, byte decimals = SeriesDefinition.DecimalsUnknown, int number = 0x102) =>
        new(GatewayId.Parse("gw-1"), new() { Device = "d", Metric = "m", Type = type, Decimals = decimals })
        {
            Number = number,
            DeviceNumber = 7,
        };

    private static string Bytes(params string[] parts) =>
        string.Concat(parts).Replace(" ", "", StringComparison.Ordinal);
}
