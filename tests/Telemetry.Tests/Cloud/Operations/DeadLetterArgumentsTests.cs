using Telemetry.Cloud.Commands.DeadLetters;
using Telemetry.Storage;

namespace Telemetry.Tests.Cloud.Operations;

public sealed class DeadLetterArgumentsTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 31, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("", "list, show, retry or discard is needed")]
    [InlineData("lost", "list, show, retry or discard is needed")]
    [InlineData("list 3", "list takes no ids; show does")]
    [InlineData("list --reason 5", "--reason: '5' is not allowed; value, time, malformed, fork and database are")]
    [InlineData(
        "list --since soon",
        "--since: 'soon' is not allowed; a time (2026-01-31T12:00Z) or a span (90 min, 2 h, 7 d) is")]
    [InlineData("list --limit 0", "--limit: '0' is not allowed; 1 to 1000000 is")]
    [InlineData("list --limit", "--limit needs a value")]
    [InlineData("list --colour red", "--colour is no option of dead-letters")]
    [InlineData("show", "show takes one id")]
    [InlineData("show 1 2", "show takes one id")]
    [InlineData("show -1", "'-1' is no id")]
    [InlineData("retry", "retry takes ids, --gateway or --reason")]
    [InlineData("retry 1 --gateway g", "retry takes either ids or filters")]
    [InlineData("retry --gateway g --retried", "retry takes no --retried: what was retried is stored")]
    public void What_is_wrong_is_named(string words, string problem) =>
        Assert.Equal(problem, DeadLetterArguments.Read(Words(words), Now, out _));

    [Fact]
    public void Filters_are_read()
    {
        Assert.Null(DeadLetterArguments.Read(
            ["list", "--gateway", "gw-1", "--reason", "Time", "--since", "2 h", "--limit", "7"], Now,
            out var arguments));

        Assert.Equal(
            new() { Gateway = "gw-1", Reason = DeadLetterReason.Time, Since = Now.AddHours(-2), Limit = 7 },
            arguments.Filter);
        Assert.Null(DeadLetterArguments.Read(["list", "--since", "2026-01-30"], Now, out arguments));
        Assert.Equal(new DateTimeOffset(2026, 1, 30, 0, 0, 0, TimeSpan.Zero), arguments.Filter.Since);
    }

    private static string[] Words(string words) => words.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
