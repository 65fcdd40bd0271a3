using System.Text;
using Telemetry.Edge.Outbox;
using Telemetry.Edge.Outbox.Offers;
using Telemetry.Inputs.Http;
using Telemetry.Inputs.LineProtocol;
using Telemetry.Tests.Edge.Outbox;

namespace Telemetry.Tests.Inputs.Http;

/// <summary>Bodies that come again without a key.</summary>
public sealed class RepeatWindowTests
{
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(5);

    [Fact]
    public void A_body_that_comes_again_within_the_window_is_stored_once() => Run(async (rig, desk) =>
    {
        var first = desk.WriteAsync(Repeatable("m f=1 5\nm f=2 6"));
        var during = desk.WriteAsync(Repeatable("m f=1 5\nm f=2 6"));
        await Task.WhenAll(first, during);
        var after = await desk.WriteAsync(Repeatable("m f=1 5\nm f=2 6"));

        Assert.Equal([204, 204, 204], new[] { await first, await during, after }.Select(a => a.Status));
        Assert.Equal((2L, 1), (rig.Outbox.Accepted, rig.Outbox.Requests.Remembered));
        await desk.WriteAsync(Repeatable("m f=1 5\nm f=2 6", name: "another"));
        await desk.WriteAsync(Repeatable("m f=1 5\nm f=2 7"));
        Assert.Equal(6, rig.Outbox.Accepted);
    });

    [Fact]
    public void A_body_that_comes_again_after_the_window_is_stored_again_and_begins_a_new_one() =>
        Run(async (rig, desk) =>
        {
            await desk.WriteAsync(Repeatable("m f=1 5"));
            rig.Clock.Advance(Window);
            await desk.WriteAsync(Repeatable("m f=1 5"));
            rig.Clock.Advance(Window / 2);
            await desk.WriteAsync(Repeatable("m f=1 5"));

            Assert.Equal(2, rig.Outbox.Accepted);
        });

    [Fact]
    public void A_body_that_comes_again_after_a_restart_is_stored_once() => OutboxRig.Run(async rig =>
    {
        await Desk(rig).WriteAsync(Repeatable("m f=1 5"));
        await rig.OpenAsync();
        await Desk(rig).WriteAsync(Repeatable("m f=1 5"));

        Assert.Equal(1, rig.Outbox.Accepted);
    });

    [Fact]
    public void A_line_without_a_time_makes_a_body_new_each_time() => Run(async (rig, desk) =>
    {
        await desk.WriteAsync(Repeatable("m f=1 5\nm f=2"));
        await desk.WriteAsync(Repeatable("m f=1 5\nm f=2"));

        Assert.Equal((4L, 0), (rig.Outbox.Accepted, rig.Outbox.Requests.Remembered));
    });

    [Fact]
    public void Where_requests_may_not_be_forgotten_a_full_memory_stores_bodies_without_a_key() => Run(
        async (rig, desk) =>
        {
            Assert.Equal(204, (await desk.WriteAsync(Named("m f=1", 1))).Status);
            Assert.Equal(204, (await desk.WriteAsync(Repeatable("m f=1 5"))).Status);
            Assert.Equal(204, (await desk.WriteAsync(Repeatable("m f=1 5"))).Status);
            Assert.Equal(3, rig.Outbox.Accepted);
        },
        new OutboxOptions { RequestsMax = 1, RequestsFull = RequestsFull.Refuse });

    [Fact]
    public void A_body_that_is_forgotten_for_an_older_one_of_the_same_key_is_still_known() => Run(
        async (rig, desk) =>
        {
            await desk.WriteAsync(Repeatable("m f=1 5"));
            rig.Clock.Advance(Window);
            await desk.WriteAsync(Repeatable("m f=1 5"));
            // The memory has two places: the older entry of the same body goes for this one.
            await desk.WriteAsync(Repeatable("m f=2 5"));
            await desk.WriteAsync(Repeatable("m f=1 5"));

            Assert.Equal(3, rig.Outbox.Accepted);
        },
        new OutboxOptions { RequestsMax = 2 });

    [Theory]
    [InlineData("m f=1 5", true)]
    [InlineData("m f=1 -5\r\n\n# note\nm,t=a\\ b f=\"x y\" 17", true)]
    [InlineData("m f=1", false)]
    [InlineData("m f=1 5\nm f=2", false)]
    [InlineData("m f=\"at 5\"", false)]
    [InlineData("m,t=a f=b\\ 5", false)]
    [InlineData("m f=1 5 ", true)]
    [InlineData("m f=1 -", false)]
    [InlineData("# 5", false)]
    [InlineData("", false)]
    public void Times_of_lines_are_found_by_their_ends(string body, bool all) =>
        Assert.Equal(all, LineTimes.AreAllGiven(Encoding.UTF8.GetBytes(body)));

    private static void Run(Func<OutboxRig, WriteHandler, Task> test, OutboxOptions? options = null) =>
        OutboxRig.Run(rig => test(rig, Desk(rig)), options);

    private static WriteHandler Desk(OutboxRig rig)
    {
        var desk = new WriteHandler(new HttpInputOptions(), OutboxRig.Gateway, null, new HttpCounters(), rig.Clock);
        desk.Open(rig.Outbox);
        return desk;
    }

    private static WriteRequest Repeatable(string body, string name = "telegraf") =>
        Named(body, null).WithBodyAsKey("/write", name, Window);

    private static WriteRequest Named(string body, UInt128? key) =>
        new(Encoding.UTF8.GetBytes(body), TimePrecision.Nanoseconds, key);
}
