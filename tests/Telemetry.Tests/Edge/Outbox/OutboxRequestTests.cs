using Telemetry.Edge.Outbox;
using Telemetry.Edge.Outbox.Offers;

namespace Telemetry.Tests.Edge.Outbox;

/// <summary>Requests are remembered with their readings, for as long and as many as the options say.</summary>
public sealed class OutboxRequestTests
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    [Fact]
    public void A_request_is_remembered_once_its_readings_are_durable() => OutboxRig.Run(async rig =>
    {
        rig.Series();
        var durable = new TaskCompletionSource();
        rig.Disk.BeforeDurable = () => new ValueTask(durable.Task);
        var offer = OfferAsync(rig, 1);
        Assert.Null(rig.Outbox.FindRequest(1));

        durable.SetResult();
        Assert.True((await offer).IsAccepted);
        Assert.Equal("answer 1"u8.ToArray(), rig.Outbox.FindRequest(1)!.Answer.ToArray());
        Assert.Single(rig.Disk.LastCommit!.Requests);
    });

    [Fact]
    public void After_a_power_cut_request_and_readings_are_both_there_or_both_gone() => OutboxRig.Run(async rig =>
    {
        var kept = 0;
        for (var i = 1; i <= 40; i++)
        {
            rig.Series();
            rig.Disk.BeforeDurable = () => new ValueTask(new TaskCompletionSource().Task);
            _ = OfferAsync(rig, (ulong)i);
            rig.Disk.BeforeDurable = null;
            await rig.OpenAsync();
            kept += rig.Outbox.FindRequest((ulong)i) is null ? 0 : 1;
            Assert.Equal(kept, rig.Outbox.Accepted);
        }

        Assert.InRange(kept, 1, 39);
    });

    [Fact]
    public void It_is_remembered_for_its_time_which_begins_anew_with_a_restart() => OutboxRig.Run(
        async rig =>
        {
            rig.Series();
            await OfferAsync(rig, 1);
            await rig.After(3 * Hour);
            await rig.OpenAsync();
            await rig.After(3 * Hour);
            await OfferAsync(rig, 2);
            Assert.NotNull(rig.Outbox.FindRequest(1));

            await rig.After(2 * Hour);
            await OfferAsync(rig, 3);
            Assert.Null(rig.Outbox.FindRequest(1));
            Assert.NotNull(rig.Outbox.FindRequest(2));
            Assert.Equal((2, 0L), (rig.Outbox.Requests.Remembered, rig.Outbox.Requests.ForgottenEarly));

            await rig.OpenAsync();
            Assert.Null(rig.Outbox.FindRequest(1));
            Assert.NotNull(rig.Outbox.FindRequest(3));
        },
        new OutboxOptions { RequestsKept = 4 * Hour, IdleCommitInterval = 20 * Hour });

    [Fact]
    public void At_the_limit_the_oldest_is_forgotten_early_and_counted() => OutboxRig.Run(
        async rig =>
        {
            rig.Series();
            for (var i = 1; i <= 5; i++)
            {
                Assert.True((await OfferAsync(rig, (ulong)i)).IsAccepted);
            }

            Assert.Equal((3, 2L), (rig.Outbox.Requests.Remembered, rig.Outbox.Requests.ForgottenEarly));
            Assert.Null(rig.Outbox.FindRequest(2));
            Assert.NotNull(rig.Outbox.FindRequest(3));
        },
        new OutboxOptions { RequestsMax = 3 });

    [Fact]
    public void Where_the_options_say_so_the_limit_refuses_until_the_oldest_is_old_enough() => OutboxRig.Run(
        async rig =>
        {
            rig.Series();
            await OfferAsync(rig, 1);
            await rig.After(Hour);
            await OfferAsync(rig, 2);
            var refused = await OfferAsync(rig, 3);
            Assert.Equal(OfferRefusal.Requests, refused.Refusal);
            Assert.Contains("outbox.requestsMax", refused.Reason, StringComparison.Ordinal);
            Assert.Equal(2, rig.Outbox.Accepted);
            Assert.True((await rig.Offer(rig.Batch())).IsAccepted);

            await rig.After(3 * Hour);
            Assert.True((await OfferAsync(rig, 3)).IsAccepted);
            Assert.Equal((2, 0L), (rig.Outbox.Requests.Remembered, rig.Outbox.Requests.ForgottenEarly));
        },
        new OutboxOptions { RequestsMax = 2, RequestsKept = 4 * Hour, RequestsFull = RequestsFull.Refuse });

    [Fact]
    public void Offers_under_way_count_against_the_limit() => OutboxRig.Run(
        async rig =>
        {
            rig.Series();
            var first = OfferAsync(rig, 1, TimeSpan.FromSeconds(1));
            Assert.Equal(OfferRefusal.Requests, (await OfferAsync(rig, 2)).Refusal);
            Assert.True((await first).IsAccepted);
        },
        new OutboxOptions { RequestsMax = 1, RequestsFull = RequestsFull.Refuse });

    private static Task<OfferOutcome> OfferAsync(OutboxRig rig, ulong key, TimeSpan? deadline = null) =>
        rig.Outbox.OfferAsync(
            rig.Batch(), deadline ?? TimeSpan.Zero, false, CancellationToken.None,
            new AnsweredRequest(key, 7, System.Text.Encoding.UTF8.GetBytes($"answer {key}"))).AsTask();
}
