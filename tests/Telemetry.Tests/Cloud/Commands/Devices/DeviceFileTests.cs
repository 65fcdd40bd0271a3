using System.Text;
using Telemetry.Cloud.Commands.Devices;

namespace Telemetry.Tests.Cloud.Commands.Devices;

public sealed class DeviceFileTests
{
    private const string Csv = """
        gateway,device,site,location,time_zone,label.line,limit.oil.temp.low,limit.oil.temp.high
        gw-1,pump,Plant 1,"Hall 2, left",europe/berlin,A,-10,80.5
        gw-2,fan,,,,,,
        """;

    private const string Pump =
        """{"gateway":"gw-1","device":"pump","site":"Plant 1","location":"Hall 2, left","time_zone":"Europe/Berlin","""
        + """ "labels":{"line":"A"},"limits":{"oil.temp":{"low":-10,"high":80.5}}}""";

    private const string Fan = """{"gateway":"gw-2","device":"fan","site":null}""";

    public static TheoryData<string> SameDevices =>
    [
        Csv, Csv.ReplaceLineEndings("\r\n"), $"\uFEFF{Csv}", $"{Pump}\n\n{Fan}\n", $"[\n{Pump},\n{Fan}\n]",
        $"[{Pump},{Fan}]\n",
    ];

    [Theory]
    [MemberData(nameof(SameDevices))]
    public void Csv_json_lines_and_a_json_array_say_the_same(string text)
    {
        var file = Read(text);

        Assert.Empty(file.Problems);
        Assert.Equal((2, 2), (file.Rows, file.Devices.Count));
        var (pump, fan) = (file.Devices[0], file.Devices[1]);
        Assert.Equal(
            ("gw-1", "pump", "Plant 1", "Hall 2, left", "Europe/Berlin"),
            (pump.Gateway, pump.Device, pump.Site, pump.Location, pump.TimeZone));
        Assert.Equal(("line", "A"), Assert.Single(pump.Labels.Select(l => (l.Key, l.Value))));
        Assert.Equal(("oil.temp", -10, 80.5), Assert.Single(
            pump.Limits.Select(l => (l.Key, l.Value.Low, l.Value.High))));
        Assert.Equal(
            ("gw-2", "fan", null, null, null), (fan.Gateway, fan.Device, fan.Site, fan.Location, fan.TimeZone));
        Assert.Empty(fan.Labels);
        Assert.Empty(fan.Limits);
    }

    [Fact]
    public void Every_bad_row_is_named_by_line_and_column_and_the_good_ones_beside_are_there()
    {
        var long257 = new string('x', 257);
        var file = Read($"""
            gateway,device,site,time_zone,label.a,limit.t.low,limit.t.high
            gw 1,pump,,,,,
            gw-1,,,,,,
            gw-1,good,,,,,
            gw-1,pump, S,Mars/Olympus,,x,NaN
            gw-1,pump,{long257},,,,
            gw-1,pump,,,,2,1
            gw-1,good,,,,,
            gw-1,pump
            gw-1,"pump
            gw-1,last,,,,1,
            """);

        Assert.Equal(["good", "last"], file.Devices.Select(d => d.Device));
        Assert.Equal(10, file.Rows);
        Assert.Equal(
            [
                "line 2, column gateway: 'gw 1' cannot be a gateway's id; use 1 to 64 characters of A-Z a-z 0-9 _ -",
                "line 3, column device: is empty; every row names its gateway and device",
                "line 5, column site: begins or ends with white space; remove it",
                "line 5, column time_zone: 'Mars/Olympus' is not a time zone that the database knows; use a name such "
                    + "as Europe/Berlin",
                "line 5, column limit.t.low: 'x' is not allowed; use a number such as -12.5",
                "line 5, column limit.t.high: 'NaN' is not allowed; use a number such as -12.5",
                "line 6, column site: has more than 256 bytes; shorten it",
                "line 7, column limit.t.low: is greater than the high limit",
                "line 8, column device: device good of gateway gw-1 is on line 4 already",
                "line 9: has 2 fields; the header has 7",
                "line 10: opens a double quote that nothing closes",
            ],
            file.Problems.Select(p => p.ToString()));
    }

    [Theory]
    [InlineData("", "line 1: the file is empty; its first line names the columns")]
    [InlineData("gateway\ng", "line 1: has no column device; the first line names the columns, separated by commas")]
    [InlineData(
        "gateway,device,color\ng,d,red",
        "line 1: 'color' is not allowed; use gateway, device, site, location, time_zone, label.KEY, limit.METRIC.low "
            + "or limit.METRIC.high")]
    [InlineData("gateway,device,device\ng,d,d", "line 1: names the column device twice")]
    public void Without_a_good_header_no_row_is_read(string text, string problem)
    {
        var file = Read(text);

        Assert.Contains(problem, file.Problems.Select(p => p.ToString()));
        Assert.Empty(file.Devices);
    }

    [Theory]
    [InlineData("""{"gateway":"g","device":7}""", "line 2, column device: must be text in valid Unicode")]
    [InlineData("""{"gateway":"g","device":"\ud800"}""", "line 2, column device: must be text in valid Unicode")]
    [InlineData("""{"gateway":"g","device":"d","device":"e"}""", "line 2: has a name twice")]
    [InlineData("""{"gateway":"g","device":"d","colour":"red"}""", "line 2, column colour: 'colour' is not allowed")]
    [InlineData("""{"gateway":"g","device":"d","label.x":"red"}""", "line 2, column label.x: 'label.x' is not allowed")]
    [InlineData("""{"gateway":"g","device":"d","labels":"red"}""", "line 2, column labels: must be a JSON object")]
    [InlineData("""{"gateway":"g","device":"d","limits":{"t":5}}""", "line 2, column limit.t: must be an object")]
    [InlineData("""{"gateway":"g","device":"d","limits":{"t":{"low":"5"}}}""", "column limit.t.low: must be a number")]
    [InlineData("""{"gateway":"g","device":"d","limits":{"t":{"mid":5}}}""", "column limit.t: has another name")]
    [InlineData("[]", "line 2: must be a JSON object")]
    [InlineData("{", "line 2: cannot be read as JSON")]
    [InlineData("""{"gateway":"g","device":"d"} x""", "line 2: cannot be read as JSON")]
    public void Bad_json_line_is_named_and_the_next_line_is_read(string line, string problem)
    {
        var file = Read($"{Fan}\n{line}\n{Pump}");

        Assert.Contains(problem, file.Problems[0].ToString(), StringComparison.Ordinal);
        Assert.Equal(["fan", "pump"], file.Devices.Select(d => d.Device));
    }

    [Fact]
    public void Broken_json_array_gives_what_stands_before_and_the_line_where_it_breaks()
    {
        var file = Read($"[\n{Fan},\n\n{{\"gateway\":\"g\",}}\n]");

        Assert.Equal("fan", Assert.Single(file.Devices).Device);
        Assert.StartsWith(
            "line 4: cannot be read as JSON, nor can what follows: ", Assert.Single(file.Problems).ToString(),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Bytes_that_are_no_text_are_refused_in_their_row_alone()
    {
        byte[] bytes = [.. "gateway,device\ng,a\xff\ng,b\n".Select(c => (byte)c)];

        var file = DeviceFile.Read(bytes, []);

        Assert.Equal("line 2, column device: is not UTF-8 text", Assert.Single(file.Problems).ToString());
        Assert.Equal("b", Assert.Single(file.Devices).Device);
    }

    [Fact]
    public void Damaged_files_are_read_to_their_end()
    {
        foreach (var text in (string[])[Csv, $"{Pump}\n{Fan}", $"[{Pump},\n{Fan}]"])
        {
            var bytes = Encoding.UTF8.GetBytes(text);
            for (var i = 0; i < bytes.Length; i++)
            {
                foreach (var value in (byte[])[0, (byte)'"', (byte)'\n', (byte)',', (byte)'{', (byte)']', 0xff])
                {
                    byte[] damaged = [.. bytes[..i], value, .. bytes[(i + 1)..]];
                    var file = DeviceFile.Read(damaged, ["UTC"]);

                    Assert.InRange(file.Devices.Count, 0, file.Rows);
                    Assert.True(file.Rows == file.Devices.Count || file.Problems.Count > 0);
                }

                DeviceFile.Read(bytes[..i], []);
            }
        }
    }

    [Fact]
    public void Rows_beyond_the_most_are_not_read()
    {
        var text = new StringBuilder("gateway,device\n");
        for (var i = 0; i <= DeviceFile.RowsMax; i++)
        {
            text.Append("g,d").Append(i).Append('\n');
        }

        var file = Read(text.Append("g,e\n").ToString());

        Assert.Equal(DeviceFile.RowsMax, file.Devices.Count);
        Assert.Equal(
            $"line {DeviceFile.RowsMax + 2}: the file has more than 200000 rows; this and the following ones are not "
                + "read",
            Assert.Single(file.Problems).ToString());
    }

    private static DeviceFile Read(string text) =>
        DeviceFile.Read(Encoding.UTF8.GetBytes(text), ["UTC", "Europe/Berlin"]);
}
