using Telemetry.Edge.Outbox;
using Telemetry.Edge.Outbox.Offers;
using Telemetry.Inputs.LineProtocol;
using Telemetry.Inputs.Senders;
using Telemetry.Model.Identity;
using Telemetry.Model.Readings;

namespace Telemetry.Inputs.Http;


/// <summary>
/// Stores bodies, and answers when they are durable. A body is one offer, all or nothing; one of more readings than an
/// offer may have is stored in parts, in order, so that no body and no line waits for room that there never is. With a
/// key each part is remembered in the commit that stores it, so that a repeat stores exactly what is missing, whatever
/// was killed in between. Used on the agent's loop.
/// </summary>
internal sealed class WriteHandler(
    HttpInputOptions options, GatewayId gateway, SenderJournal? journal, HttpCounters counters, TimeProvider time)
{
    /// <summary>
    /// The most readings of one offer: half of what may wait for a commit by default. One line alone may have as many
    /// as may wait.
    /// </summary>
    public const int PartReadingsMax = 32 * 1024;

    private static readonly TimeSpan QuotaRetry = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan OverloadRetry = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RequestsRetry = TimeSpan.FromSeconds(60);

    private readonly OutboxWriter _sender = new(journal);
    private readonly ReadingBatch _batch = new();
    private readonly LineErrors _errors = new();
    private readonly Dictionary<UInt128, (UInt128 Content, Task<WriteAnswer> Answer)> _underWay = [];
    private readonly HashSet<Task> _all = [];
    private ReadingOutbox? _outbox;
    private SeriesCache? _series;
    private LineDecoder? _decoder;
    private PartLimits _part;
    private long _clearedBefore;

    public long Acknowledged => _sender.Acknowledged;

    public long Refused => _sender.Refused;

    /// <summary>How often the cache of series began anew because it was full.</summary>
    public long SeriesCacheCleared => _clearedBefore + (_series?.Cleared ?? 0);

    /// <summary>Requests are taken from now on.</summary>
    public void Open(ReadingOutbox outbox)
    {
        _outbox = outbox;
        _clearedBefore = SeriesCacheCleared;
        _series = new SeriesCache(outbox, gateway, options.DeviceTag, options.SeriesCacheMax);
        _decoder = new LineDecoder(_series, options.LineBytesMax);
        var waiting = outbox.Options.WaitingReadingsMax;
        _part = new PartLimits(
            PartReadingsMax, Math.Min(PartReadingsMax, waiting), waiting, outbox.Options.QuotaBytes / 2);
    }

    /// <summary>Takes no more, and waits for those under way, whatever becomes of them.</summary>
    public async Task CloseAsync()
    {
        _outbox = null;
        await Task.WhenAll([.. _all]);
    }

    /// <summary>Stores a body. Never throws; a repeat of one that is under way waits for it.</summary>
    public async Task<WriteAnswer> WriteAsync(WriteRequest request)
    {
        if (_outbox is not { } outbox)
        {
            return WriteAnswer.Unavailable;
        }

        var content = request.Key is null ? default : request.Content();
        if (request.Key is { } key && _underWay.TryGetValue(key, out var first))
        {
            counters.Repeated();
            return first.Content == content ? await first.Answer : AnotherBody;
        }

        var answer = StoreAsync(outbox, request, content);
        _all.Add(answer);
        if (request.Key is { } mine)
        {
            _underWay.Add(mine, (content, answer));
        }

        try
        {
            return await answer;
        }
        finally
        {
            _all.Remove(answer);
            if (request.Key is { } done)
            {
                _underWay.Remove(done);
            }
        }
    }

    private static WriteAnswer AnotherBody => new(
        422, "this Idempotency-Key was used with another body or precision: a new batch needs a new key");

    private async Task<WriteAnswer> StoreAsync(ReadingOutbox outbox, WriteRequest request, UInt128 content)
    {
        var whole = new WholeOutcome();
        try
        {
            for (var part = 0; part == 0 || whole.Next.Offset < request.Body.Length; part++)
            {
                var key = request.Key is { } named ? WriteRequest.PartKey(named, part) : (UInt128?)null;
                if (key is { } known && outbox.FindRequest(known, request.Within) is { } before)
                {
                    if (before.Content != content)
                    {
                        return AnotherBody;
                    }

                    whole.Add(PartOutcome.Read(before.Answer.Span), repeated: true);
                }
                else if (await StorePartAsync(outbox, request, key, content, whole) is { } refused)
                {
                    return refused;
                }
            }

            if (whole.IsRepeat)
            {
                counters.Repeated();
            }

            return whole.Answer();
        }
        catch (Exception e) when (e is OutboxException or ObjectDisposedException)
        {
            return whole.Refusal(
                503,
                $"the commit failed, and whether it happened is not known: {e.Message}",
                OverloadRetry,
                request);
        }
    }

    // Null when it is stored.
    private async Task<WriteAnswer?> StorePartAsync(
        ReadingOutbox outbox, WriteRequest request, UInt128? key, UInt128 content, WholeOutcome whole)
    {
        _batch.Clear();
        _errors.Clear();
        var now = (time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
        var (next, lines) = _decoder!.Decode(
            request.Body.Span, whole.Next, request.Precision, now, _part, _batch, _errors);
        var outcome = new PartOutcome(next, lines, _errors.Count, _errors.Text);
        // What its sender did not name is stored in any case, remembered or not.
        var remembered = key is { } mine && (request.IsNamed || outbox.Requests.Room)
            ? new AnsweredRequest(mine, content, outcome.ToBytes()) : null;
        if (_batch.Count > 0)
        {
            // The batch is copied before this returns: another request may fill it while we wait.
            var offer = await _sender.OfferAsync(outbox, _batch, options.CommitDeadline, critical: false, remembered);
            if (!offer.IsAccepted)
            {
                return Refusal(offer, whole, request);
            }
        }

        counters.Lines(outcome.Stored, outcome.Refused);
        whole.Add(outcome, repeated: false);
        return null;
    }

    private static WriteAnswer Refusal(OfferOutcome offer, WholeOutcome whole, WriteRequest request) => offer.Refusal
        switch
    {
        OfferRefusal.Quota => whole.Refusal(503, offer.Reason, QuotaRetry, request),
        OfferRefusal.Disk or OfferRefusal.Unknown => whole.Refusal(503, offer.Reason, QuotaRetry, request),
        OfferRefusal.Requests => whole.Refusal(429, offer.Reason, RequestsRetry, request),
        OfferRefusal.Overload => whole.Refusal(429, offer.Reason, OverloadRetry, request),
        _ => whole.Refusal(400, offer.Reason, null, request),
    };
}
