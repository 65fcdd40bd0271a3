using System.Text;
using Telemetry.Edge.Outbox;
using Telemetry.Edge.Outbox.Offers;
using Telemetry.Inputs.Http;
using Telemetry.Inputs.LineProtocol;
using Telemetry.Tests.Edge.Outbox;

namespace Telemetry.Tests.Inputs.Http;

public sealed class WriteHandlerTests
{
    private const ulong Key = 42;

    [Fact]
    public void Answers_when_the_readings_are_durable_and_within_its_deadline() => Run(async (rig, desk) =>
    {
        var start = rig.Clock.GetTimestamp();
        var answer = desk.WriteAsync(Request("m f=1 0\nm f=2 0"));
        Assert.False(answer.IsCompleted);

        Assert.Equal(204, (await answer).Status);
        Assert.Equal(2, rig.Outbox.Accepted);
        Assert.InRange(rig.Clock.GetElapsedTime(start).TotalSeconds, 0.001, 1);
    });

    [Fact]
    public void Good_lines_beside_bad_ones_are_stored_and_the_bad_ones_named() => Run(async (rig, desk) =>
    {
        var answer = await desk.WriteAsync(Request("m f=1 0\nm f=x 0\n\nm f=3 0\nm g\n"));

        Assert.Equal(400, answer.Status);
        Assert.Equal(
            "partial write: line 2: unable to parse 'm f=x 0': invalid field value: use a number, a bool or a text "
            + "in quotes; line 5: unable to parse 'm g': a field without '=' dropped=2",
            answer.Message);
        Assert.Equal(2, rig.Outbox.Accepted);
    });

    [Fact]
    public void Of_very_many_bad_lines_the_first_are_named_and_all_counted() => Run(async (_, desk) =>
    {
        var answer = await desk.WriteAsync(Request(string.Concat(Enumerable.Repeat("nonsense\n", 100_000))));

        Assert.Equal(400, answer.Status);
        Assert.StartsWith("nothing was written: line 1:", answer.Message, StringComparison.Ordinal);
        Assert.EndsWith("dropped=100000", answer.Message, StringComparison.Ordinal);
        Assert.InRange(answer.Message.Length, 0, 2000);
    });

    [Fact]
    public void A_body_without_lines_is_stored() => Run(async (_, desk) =>
        Assert.Equal(204, (await desk.WriteAsync(Request("\n# nothing\n"))).Status));

    [Fact]
    public void A_repeat_is_answered_alike_and_stores_nothing() => Run(async (rig, desk) =>
    {
        var first = await desk.WriteAsync(Request("m f=1\nm f=x", Key));
        var second = await desk.WriteAsync(Request("m f=1\nm f=x", Key));

        Assert.Equal(first, second);
        Assert.Equal(1, rig.Outbox.Accepted);
        Assert.Equal(204, (await desk.WriteAsync(Request("m f=1", Key + 1))).Status);
        Assert.Equal(2, rig.Outbox.Accepted);
    });

    [Fact]
    public void A_repeat_while_the_first_is_under_way_waits_for_it() => Run(async (rig, desk) =>
    {
        var first = desk.WriteAsync(Request("m f=1 0", Key));
        var second = desk.WriteAsync(Request("m f=1 0", Key));
        Assert.False(second.IsCompleted);

        Assert.Equal([204, 204], (await Task.WhenAll(first, second)).Select(a => a.Status));
        Assert.Equal(1, rig.Outbox.Accepted);
    });

    [Theory]
    [InlineData("m f=2 0", false)]
    [InlineData("m f=1 0", true)]
    public void Another_body_or_precision_under_the_same_key_is_refused(string body, bool seconds) =>
        Run(async (rig, desk) =>
        {
            Assert.True(TimePrecision.TryParse(seconds ? "s" : "ns", false, out var precision));
            var first = desk.WriteAsync(Request("m f=1 0", Key));
            var during = await desk.WriteAsync(Request(body, Key, precision));
            await first;
            var after = await desk.WriteAsync(Request(body, Key, precision));

            Assert.Equal((422, 422), (during.Status, after.Status));
            Assert.Contains("Idempotency-Key", after.Message, StringComparison.Ordinal);
            Assert.Equal(1, rig.Outbox.Accepted);
        });

    [Fact]
    public void A_repeat_after_a_restart_stores_nothing() => OutboxRig.Run(async rig =>
    {
        await Desk(rig).WriteAsync(Request("m f=1\nm f=x", Key));
        await rig.OpenAsync();
        var repeated = await Desk(rig).WriteAsync(Request("m f=1\nm f=x", Key));

        Assert.StartsWith("partial write: line 2", repeated.Message, StringComparison.Ordinal);
        Assert.Equal(1, rig.Outbox.Accepted);
    });

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_commit_that_fails_is_answered_so_and_a_repeat_stores_exactly_once(bool happensAnyway) =>
        OutboxRig.Run(async rig =>
        {
            rig.Disk.FailCommits(1, happensAnyway);
            var answer = await Desk(rig).WriteAsync(Request("m f=1 0", Key));
            Assert.Equal(503, answer.Status);
            Assert.Contains("not known", answer.Message, StringComparison.Ordinal);

            await rig.OpenAsync();
            Assert.Equal(204, (await Desk(rig).WriteAsync(Request("m f=1 0", Key))).Status);
            Assert.Equal(1, rig.Outbox.Accepted);
        });

    [Fact]
    public void A_body_of_many_readings_is_one_commit_up_to_a_part() => Run(async (rig, desk) =>
    {
        await desk.WriteAsync(Request(Lines(WriteHandler.PartReadingsMax), Key));
        Assert.Equal((1, (long)WriteHandler.PartReadingsMax), (rig.Disk.Commits, rig.Outbox.Accepted));
        Assert.Equal(1, rig.Outbox.Requests.Remembered);
    });

    [Fact]
    public void A_larger_body_is_stored_in_parts_and_a_repeat_stores_only_what_is_missing() =>
        OutboxRig.Run(async rig =>
        {
            var body = Lines((2 * WriteHandler.PartReadingsMax) + 10) + "bad\n";
            rig.Disk.AfterDurable = () =>
            {
                // The second part's commit fails.
                rig.Disk.AfterDurable = null;
                rig.Disk.FailCommits(1, happenAnyway: false);
                return ValueTask.CompletedTask;
            };
            var first = await Desk(rig).WriteAsync(Request(body, Key));
            Assert.Equal(503, first.Status);
            Assert.StartsWith(
                $"lines 1 to {WriteHandler.PartReadingsMax} are stored", first.Message, StringComparison.Ordinal);
            Assert.Contains("same Idempotency-Key", first.Message, StringComparison.Ordinal);

            await rig.OpenAsync();
            Assert.Equal(WriteHandler.PartReadingsMax, rig.Outbox.Accepted);
            var again = await Desk(rig).WriteAsync(Request(body, Key));
            Assert.Equal(400, again.Status);
            Assert.Contains(
                $"line {(2 * WriteHandler.PartReadingsMax) + 11}: ", again.Message, StringComparison.Ordinal);
            Assert.Equal((2 * WriteHandler.PartReadingsMax) + 10, rig.Outbox.Accepted);
            Assert.Equal(again, await Desk(rig).WriteAsync(Request(body, Key)));
            Assert.Equal((2 * WriteHandler.PartReadingsMax) + 10, rig.Outbox.Accepted);
        });

    [Fact]
    public void At_the_quota_it_says_when_to_try_again() => Run(
        async (rig, desk) =>
        {
            var random = new Random(1);
            long written = 0;
            for (; rig.Outbox.StoredBytes <= 8_500; written += 500)
            {
                var noise = Enumerable.Range(0, 500)
                    .Select(i => FormattableString.Invariant($"m f={random.NextDouble()} {i}"));
                Assert.Equal(204, (await desk.WriteAsync(Request(string.Join('\n', noise)))).Status);
            }

            var refused = await desk.WriteAsync(Request(Lines(500), Key));
            Assert.Equal((503, TimeSpan.FromSeconds(10)), (refused.Status, refused.RetryAfter));
            Assert.Contains("outbox.quotaBytes is 17000", refused.Message, StringComparison.Ordinal);
            Assert.Equal((written, 500L), (rig.Outbox.Accepted, desk.Refused));
            Assert.Null(rig.Outbox.FindRequest(WriteRequest.PartKey(Key, 0)));
        },
        new OutboxOptions { QuotaBytes = 17_000 });

    [Fact]
    public void A_line_of_more_than_an_offer_may_hold_is_refused_by_name_and_the_others_are_stored() => Run(
        async (rig, desk) =>
        {
            var fields = string.Join(',', Enumerable.Range(0, 101).Select(i => $"f{i}=1"));

            var answer = await desk.WriteAsync(Request($"m f=1 0\nm {fields} 0\nm f=3 1000", Key));

            Assert.Equal(400, answer.Status);
            Assert.Contains("line 2: ", answer.Message, StringComparison.Ordinal);
            Assert.Contains("101 fields, more than the 100 ", answer.Message, StringComparison.Ordinal);
            Assert.Equal(2, rig.Outbox.Accepted);
            Assert.Equal(answer, await desk.WriteAsync(Request($"m f=1 0\nm {fields} 0\nm f=3 1000", Key)));
        },
        new OutboxOptions { WaitingReadingsMax = 100 });

    [Fact]
    public void A_line_of_more_readings_than_a_part_is_stored_alone() => Run(
        async (rig, desk) =>
        {
            var fields = string.Join(',', Enumerable.Range(0, WriteHandler.PartReadingsMax + 1).Select(i => $"f{i}=1"));

            var answer = await desk.WriteAsync(Request($"m f0=1 0\nm {fields} 1000\nm f0=3 2000", Key));

            Assert.Equal(204, answer.Status);
            Assert.Equal(
                (WriteHandler.PartReadingsMax + 3L, 3), (rig.Outbox.Accepted, rig.Outbox.Requests.Remembered));
        },
        lineBytesMax: 1024 * 1024);

    [Fact]
    public void A_line_of_more_bytes_than_half_the_quota_is_refused_by_name_and_the_others_are_stored() => Run(
        async (rig, desk) =>
        {
            var texts = string.Join(',', Enumerable.Range(0, 3).Select(i => $"t{i}=\"{new string('x', 4000)}\""));

            var answer = await desk.WriteAsync(Request($"m f=1 0\nm {texts} 0\nm f=3 1000"));

            Assert.Equal(400, answer.Status);
            Assert.Contains("line 2: ", answer.Message, StringComparison.Ordinal);
            Assert.Contains("12051 bytes of readings, more than the 10000 ", answer.Message, StringComparison.Ordinal);
            Assert.Equal(2, rig.Outbox.Accepted);
        },
        new OutboxOptions { QuotaBytes = 20_000 });

    [Fact]
    public void Lines_that_fit_one_by_one_are_stored_in_parts_where_they_do_not_together() => Run(
        async (rig, desk) =>
        {
            var fields = string.Join(',', Enumerable.Range(0, 60).Select(i => $"f{i}=1"));

            var answer = await desk.WriteAsync(
                Request($"m {fields} 0\nm {fields} 1000\n\nm {fields} 2000\nbad\n", Key));

            Assert.Equal(400, answer.Status);
            Assert.StartsWith("partial write: line 5: ", answer.Message, StringComparison.Ordinal);
            Assert.Equal((180L, 3), (rig.Outbox.Accepted, rig.Outbox.Requests.Remembered));
        },
        new OutboxOptions { WaitingReadingsMax = 100 });

    [Fact]
    public void Under_overload_it_says_when_to_try_again() => Run(
        async (_, desk) =>
        {
            var first = desk.WriteAsync(Request(Lines(80)));
            var refused = await desk.WriteAsync(Request(Lines(80)));
            Assert.Equal((429, TimeSpan.FromSeconds(1)), (refused.Status, refused.RetryAfter));
            Assert.Equal(204, (await first).Status);
        },
        new OutboxOptions { WaitingReadingsMax = 100 });

    [Fact]
    public void Where_requests_may_not_be_forgotten_a_full_memory_refuses_those_with_a_key() => Run(
        async (_, desk) =>
        {
            Assert.Equal(204, (await desk.WriteAsync(Request("m f=1", 1))).Status);
            Assert.Equal(429, (await desk.WriteAsync(Request("m f=1", 2))).Status);
            Assert.Equal(204, (await desk.WriteAsync(Request("m f=1"))).Status);
            Assert.Equal(204, (await desk.WriteAsync(Request("m f=1", 1))).Status);
        },
        new OutboxOptions { RequestsMax = 1, RequestsFull = RequestsFull.Refuse });

    [Fact]
    public void A_closed_desk_waits_for_what_is_under_way_and_takes_no_more() => Run(async (rig, desk) =>
    {
        var first = desk.WriteAsync(Request("m f=1"));
        var closing = desk.CloseAsync();
        Assert.False(closing.IsCompleted);
        Assert.Equal(503, (await desk.WriteAsync(Request("m f=1"))).Status);

        await closing;
        Assert.Equal(204, (await first).Status);
        Assert.Equal(1, rig.Outbox.Accepted);
    });

    [Fact]
    public void What_is_remembered_of_a_part_comes_back_as_it_was()
    {
        var outcome = new PartOutcome(new BodyPosition(123_456, 789), 700, 89, "line 5: größer");
        Assert.Equal(outcome, PartOutcome.Read(outcome.ToBytes()));
        Assert.InRange(
            (outcome with { Errors = new string('ü', 10_000) }).ToBytes().Length, 1, AnsweredRequest.AnswerBytesMax);
    }

    private static void Run(
        Func<OutboxRig, WriteHandler, Task> test, OutboxOptions? options = null, int lineBytesMax = 64 * 1024) =>
        OutboxRig.Run(rig => test(rig, Desk(rig, lineBytesMax)), options);

    private static WriteHandler Desk(OutboxRig rig, int lineBytesMax = 64 * 1024)
    {
        var options = new HttpInputOptions { LineBytesMax = lineBytesMax };
        var desk = new WriteHandler(options, OutboxRig.Gateway, null, new HttpCounters(), rig.Clock);
        desk.Open(rig.Outbox);
        return desk;
    }

    private static WriteRequest Request(string body, UInt128? key = null, TimePrecision? precision = null) =>
        new(Encoding.UTF8.GetBytes(body), precision ?? TimePrecision.Nanoseconds, key);

    private static string Lines(int count)
    {
        var text = new StringBuilder();
        for (var i = 0; i < count; i++)
        {
            text.Append(null, $"m f={i} {i}000\n");
        }

        return text.ToString();
    }
}
