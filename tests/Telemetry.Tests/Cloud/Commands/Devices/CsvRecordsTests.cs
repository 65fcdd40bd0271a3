using Telemetry.Cloud.Commands.Devices;

namespace Telemetry.Tests.Cloud.Commands.Devices;

public sealed class CsvRecordsTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("a,b\n", "1:a|b")]
    [InlineData("a,b", "1:a|b")]
    [InlineData("a,b\r\nc,\r\n", "1:a|b 2:c|")]
    [InlineData("a\rb", "1:a 2:b")]
    [InlineData("a\n\n\nb\n", "1:a 4:b")]
    [InlineData(",\n", "1:|")]
    [InlineData("\"\"\n", "")]
    [InlineData("\"a,b\",\"c\"\"d\"\n", "1:a,b|c\"d")]
    [InlineData("\"a\nb\",c\nd,e", "1:a\nb|c 3:d|e")]
    [InlineData("\"a\r\nb\"\r\nc", "1:a\r\nb 3:c")]
    public void Records_have_their_fields_and_the_line_on_which_they_begin(string text, string records) =>
        Assert.Equal(records, string.Join(' ', CsvRecords.Read(text).Select(r =>
        {
            Assert.Null(r.Problem);
            return $"{r.Line}:{string.Join('|', r.Fields)}";
        })));

    [Theory]
    [InlineData("a\"b,c\nd,e", "double quote within a field")]
    [InlineData("\"a\"b,c\nd,e", "behind the closing double quote")]
    [InlineData("\"a,b\nd,e", "that nothing closes")]
    [InlineData("x,\"a,b\nd,e", "that nothing closes")]
    public void Record_with_a_problem_ends_with_its_line(string text, string problem)
    {
        var records = CsvRecords.Read(text).ToList();

        Assert.Contains(problem, records[0].Problem, StringComparison.Ordinal);
        Assert.Equal((2, "d", "e"), (records[1].Line, records[1].Fields[0], records[1].Fields[1]));
        Assert.Equal(2, records.Count);
    }
}
