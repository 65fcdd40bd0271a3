using Telemetry.Runtime.Settings;

namespace Telemetry.Tests.Runtime.Settings;

public sealed class SettingUnitsTests
{
    [Theory]
    [InlineData("250 ms", 0.25)]
    [InlineData("1.5s", 1.5)]
    [InlineData("5 min", 300)]
    [InlineData("2 h", 7200)]
    [InlineData("7 d", 604800)]
    [InlineData("0 s", 0)]
    public void Span_is_read_with_its_unit(string text, double seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), SettingUnits.Span(text));

    [Theory]
    [InlineData("5")]
    [InlineData("-5 s")]
    [InlineData("s")]
    [InlineData("1e3 s")]
    [InlineData("1,5 s")]
    [InlineData("00:00:05")]
    [InlineData("999999999 d")]
    public void Text_without_number_and_unit_is_no_span(string text) => Assert.Null(SettingUnits.Span(text));

    [Theory]
    [InlineData("65536", 65536L)]
    [InlineData("64 KiB", 65536L)]
    [InlineData("2GiB", 2147483648L)]
    public void Bytes_are_read_with_their_unit(string text, long bytes) =>
        Assert.Equal(bytes, SettingUnits.Bytes(text));

    [Theory]
    [InlineData("64 KB")]
    [InlineData("-1")]
    [InlineData("1.5 MiB")]
    [InlineData("9999999999 GiB")]
    public void Other_texts_are_no_bytes(string text) => Assert.Null(SettingUnits.Bytes(text));

    [Theory]
    [InlineData(0, "0")]
    [InlineData(1023, "1023")]
    [InlineData(1024, "1 KiB")]
    [InlineData(60 * 1024, "60 KiB")]
    [InlineData((1 << 20) + 1, "1048577")]
    [InlineData(1L << 44, "16 TiB")]
    public void Bytes_are_shown_with_the_largest_unit_that_is_exact(long bytes, string text)
    {
        Assert.Equal(text, SettingUnits.Show(bytes));
        Assert.Equal(bytes, SettingUnits.Bytes(text));
    }
}
