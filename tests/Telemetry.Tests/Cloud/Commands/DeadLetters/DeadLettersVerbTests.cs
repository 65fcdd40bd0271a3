using Telemetry.Cloud.Commands;
using Telemetry.Cloud.Commands.DeadLetters;
using Telemetry.Storage;

namespace Telemetry.Tests.Cloud.Commands.DeadLetters;

public sealed class DeadLettersVerbTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 31, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("", "Required command was not provided")]
    [InlineData("lost", "'lost'")]
    [InlineData("list 3", "'3'")]
    [InlineData(
        "list --reason 5",
        "--reason: '5' is not allowed; use value, time, malformed, fork, ")]
    [InlineData(
        "list --since soon",
        "--since: 'soon' is not allowed; use a time (2026-01-31T12:00Z) or a span (90 min, 2 h, 7 d)")]
    [InlineData("list --limit 0", "--limit: '0' is not allowed; use 1 to 1000000")]
    [InlineData("list --limit", "'--limit'")]
    [InlineData("list --colour red", "'--colour'")]
    [InlineData("show", "'show'")]
    [InlineData("show 1 2", "'2'")]
    [InlineData("show -1", "'-1' is not an id (a whole number) or an option of this command")]
    [InlineData("retry", "retry takes ids, --gateway or --reason")]
    [InlineData("retry 1 --gateway g", "retry takes either ids or filters")]
    [InlineData(
        "retry --gateway g --retried", "'--retried' is not an id (a whole number) or an option of this command")]
    [InlineData("retry 5 --note n", "'--note' is not an id (a whole number) or an option of this command")]
    [InlineData("discard 5", "'--note' is required")]
    [InlineData("discard --note n", "discard takes ids, --gateway or --reason")]
    [InlineData("discard 5 --gateway g --note n", "discard takes either ids or filters")]
    public void What_is_wrong_is_named(string words, string problem) =>
        Assert.Contains(problem, VerbRun.Errors<DeadLetterArguments>(Create, words), StringComparison.Ordinal);

    [Fact]
    public void Note_that_is_blank_is_named() => Assert.Contains(
        "--note: is empty",
        Create((_, _, _) => Task.FromResult(0)).Parse(["discard", "5", "--note", " "]).Errors.Single().Message,
        StringComparison.Ordinal);

    [Fact]
    public void Filters_are_read()
    {
        var list = Read("list --gateway gw-1 --reason Time --since 2h --limit 7 --retried");

        Assert.Equal(
            new()
            {
                Gateway = "gw-1",
                Reason = DeadLetterReason.Time,
                Since = Now.AddHours(-2),
                Limit = 7,
                Retried = true,
            },
            list.Filter);
        Assert.Equal(
            new DateTimeOffset(2026, 1, 30, 0, 0, 0, TimeSpan.Zero), Read("list --since 2026-01-30").Filter.Since);
    }

    [Fact]
    public void List_is_limited_and_what_is_retried_or_discarded_is_not()
    {
        Assert.Equal(("list", 100), (Read("list").Verb, Read("list").Filter.Limit));
        Assert.Equal(1_000_000, Read("retry --reason fork").Filter.Limit);
    }

    [Fact]
    public void Ids_are_read_before_and_after_options()
    {
        Assert.Equal([5], Read("show 5").Ids);
        Assert.Equal([5, 6], Read("retry 5 6").Ids);
        var discard = Read("discard 5 --note n 6");
        Assert.Equal([5, 6], discard.Ids);
        Assert.Equal(("discard", "n"), (discard.Verb, discard.Note));
    }

    private static DeadLetterArguments Read(string words) => VerbRun.Arguments<DeadLetterArguments>(Create, words);

    private static System.CommandLine.Command Create(VerbAction<DeadLetterArguments> run) =>
        DeadLettersVerb.Create(new FixedTime(), run);

    private sealed class FixedTime : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => Now;
    }
}
