using System.Text.Json;
using Telemetry.Dashboard.Api;

namespace Telemetry.Tests.Dashboard.Api;

public sealed class CsvTextTests
{
    [Theory]
    [InlineData("""[]""", "")]
    [InlineData("""[{"a":1.50,"b":null,"c":true}]""", "a,b,c\r\n1.50,,true\r\n")]
    [InlineData("""[{"a":"x,\"y\"\n"}]""", "a\r\n\"x,\"\"y\"\"\n\"\r\n")]
    [InlineData("""[{"a":"=HYPERLINK(1)"},{"a":"-12"},{"a":"@x"}]""", "a\r\n'=HYPERLINK(1)\r\n-12\r\n'@x\r\n")]
    public void Rows_become_lines_and_text_is_no_formula(string json, string csv) =>
        Assert.Equal(csv, CsvText.Of(JsonDocument.Parse(json).RootElement));
}
