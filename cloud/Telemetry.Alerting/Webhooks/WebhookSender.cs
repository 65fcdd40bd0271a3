using Microsoft.Extensions.Logging;
using Telemetry.Alerting.Relay;
using Telemetry.Diagnostics.Failures;
using Telemetry.Storage;
using Telemetry.Storage.Alerts;

namespace Telemetry.Alerting.Webhooks;

/// <summary>
/// Sends the alert outbox to one receiver: each transition that fits at least once, in the order of its partition. How
/// far it is stands in the database, and is written after the receiver took the event: a process that ends between the
/// two sends the event again, with the same id. One process sends, by a lease; the others stand by. One loop.
/// </summary>
public sealed class WebhookSender
{
    private const int RowsMax = 100;
    private const int RetriesMax = 2;
    private const int FailuresMin = 3;

    private static readonly TimeSpan WaitMax = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ReleaseWithin = TimeSpan.FromSeconds(2);

    private readonly Webhook _webhook;
    private readonly WebhookOptions _options;
    private readonly WebhookClient _client;
    private readonly WebhookFilter _filter;
    private readonly IWebhookOutbox _outbox;
    private readonly WebhookCounters _counters;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly RelayBackoff _backoff;
    private readonly ReportedFailure _receiver;
    private readonly ReportedFailure _database;
    private readonly long _token;

    private WebhookProgress? _progress;
    private DateTimeOffset _resumeAt;
    private DateTimeOffset _minute;
    private int _sentInMinute;
    private int _failures;

    public WebhookSender(
        HttpClient http, Webhook webhook, WebhookOptions options, IWebhookOutbox outbox, WebhookCounters counters,
        TimeProvider time, Random random, ILogger logger, ReportedFailure? database = null)
    {
        (_webhook, _options, _outbox, _counters, _time, _logger) = (webhook, options, outbox, counters, time, logger);
        _client = new WebhookClient(http, webhook, time);
        _filter = new WebhookFilter(webhook, outbox, counters, logger);
        _backoff = new RelayBackoff(options.RetryAfter, options.RetryAfterMax, random);
        _receiver = new ReportedFailure(
            $"Webhook {webhook.Name} cannot be sent", $"Webhook {webhook.Name} is sent again", time, logger);
        _database = new ReportedFailure(
            "The alert outbox cannot be read", "The alert outbox is read again", time, logger, database);
        _token = random.NextInt64(1, long.MaxValue);
    }

    /// <summary>What keeps events from being taken; null when nothing does.</summary>
    public string? Problem =>
        _receiver.Problem is { } problem ? $"{_webhook.Name}: {problem}" : _database.Problem;

    /// <summary>Runs until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                await Task.Delay(await TurnAsync(cancellationToken), _time, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Asked to stop.
        }

        await ReleaseAsync();
    }

    private async Task<TimeSpan> TurnAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (!await _outbox.TakeLeaseAsync(
                _webhook.Name, _token, _options.Owner, _options.Lease, cancellationToken))
            {
                _progress = null;
                _database.Worked();
                return WaitMax;
            }

            if (_resumeAt - _time.GetUtcNow() is { Ticks: > 0 } left)
            {
                return left < WaitMax ? left : WaitMax;
            }

            var more = await SendAsync(cancellationToken);
            _database.Worked();
            return more ? TimeSpan.Zero : _options.PollEvery;
        }
        catch (StoreException e)
        {
            // What was sent and not written is sent again.
            _progress = null;
            _database.Failed(e.Message);
            return _backoff.Next() is var pause && pause < WaitMax ? pause : WaitMax;
        }
    }

    /// <summary>Sends what there is, for as long as that is part of one lease; true when there is more.</summary>
    private async Task<bool> SendAsync(CancellationToken cancellationToken)
    {
        var positions = await _outbox.PositionsAsync(_webhook.Name, cancellationToken);
        _progress ??= new WebhookProgress();
        _progress.Look(positions);
        var begun = _time.GetTimestamp();
        var more = false;
        try
        {
            await RetryAsync(cancellationToken);
            await SendSummaryAsync(cancellationToken);
            foreach (var partition in _progress.Waiting)
            {
                more |= await SendAsync(partition, begun, cancellationToken);
                if (_time.GetElapsedTime(begun) > WaitMax)
                {
                    // The lease is looked at again.
                    more = true;
                    break;
                }
            }
        }
        catch (WebhookException e)
        {
            _counters.AddFailed();
            _receiver.Failed(e.Message);
            _failures++;
            var pause = _backoff.Next();
            var asked = e.RetryAfter ?? pause;
            _resumeAt = _time.GetUtcNow()
                + (asked > _options.RetryAfterMax ? _options.RetryAfterMax : asked > pause ? asked : pause);
            await GiveUpAsync(e.Message, cancellationToken);
        }

        await NoteAsync([], cancellationToken);
        return more;
    }

    private async Task<bool> SendAsync(int partition, long begun, CancellationToken cancellationToken)
    {
        var rows = await _outbox.ReadAsync(partition, _progress!.Read(partition), RowsMax, cancellationToken);
        foreach (var (row, transition) in await _filter.ReadAsync(
            partition, _progress.Read(partition), rows, cancellationToken))
        {
            if (transition is null)
            {
                _progress.Pass(partition, row.Number);
            }
            else if (Brakes())
            {
                _progress.Hold(partition, row, transition, _time.GetUtcNow());
            }
            else
            {
                await PostAsync(WebhookEvent.Of(partition, row, _options.Source), cancellationToken);
                _sentInMinute++;
                _progress.Pass(partition, row.Number);
                if (_time.GetElapsedTime(begun) > WaitMax)
                {
                    return true;
                }
            }
        }

        return rows.Count == RowsMax;
    }

    private async Task PostAsync(WebhookEvent sent, CancellationToken cancellationToken)
    {
        await _client.PostAsync(sent, cancellationToken);
        _counters.AddSent();
        _receiver.Worked();
        _backoff.Reset();
        _failures = 0;
    }

    /// <summary>True when the minute has had as many events as the webhook allows; the rest is held.</summary>
    private bool Brakes()
    {
        if (_webhook.PerMinute == 0)
        {
            return false;
        }

        if (_time.GetUtcNow() - _minute >= _options.BrakeTime && _progress!.Held is null)
        {
            (_minute, _sentInMinute) = (_time.GetUtcNow(), 0);
        }

        return _progress!.Held is not null || _sentInMinute >= _webhook.PerMinute;
    }

    private async Task SendSummaryAsync(CancellationToken cancellationToken)
    {
        if (_progress!.Held is not { } held || _time.GetUtcNow() - _minute < _options.BrakeTime)
        {
            return;
        }

        await PostAsync(WebhookEvent.Of(held, _options.Source, _time.GetUtcNow()), cancellationToken);
        _counters.AddHeld(held.Count);
        _progress.Release();
        (_minute, _sentInMinute) = (_time.GetUtcNow(), 1);
    }

    private async Task RetryAsync(CancellationToken cancellationToken)
    {
        foreach (var letter in await _outbox.RetriedAsync(_webhook.Name, RetriesMax, cancellationToken))
        {
            try
            {
                await PostAsync(new WebhookEvent(letter.Event, letter.Body), cancellationToken);
            }
            catch (WebhookException e)
            {
                await _outbox.NoteRetryAsync(letter.Id, e.Message, cancellationToken);
                throw;
            }

            await _outbox.NoteRetryAsync(letter.Id, null, cancellationToken);
        }
    }

    /// <summary>
    /// Makes dead letters of what is too old, so that it keeps nothing back; but not when a receiver that took events
    /// before fails once.
    /// </summary>
    private async Task GiveUpAsync(string error, CancellationToken cancellationToken)
    {
        if (_failures < FailuresMin)
        {
            return;
        }

        if (_progress!.Held is { } held && _time.GetUtcNow() - held.Since > _webhook.GiveUpAfter)
        {
            var summary = WebhookEvent.Of(held, _options.Source, _time.GetUtcNow());
            _progress.Release();
            await GiveUpAsync([summary], error, cancellationToken);
        }

        // A partition of which transitions are held waits for their summary.
        foreach (var partition in _progress?.Waiting.Where(p => !_progress.Holds(p)).ToList() ?? [])
        {
            while (_progress is not null && await GiveUpAsync(partition, error, cancellationToken))
            {
                // The next page.
            }
        }
    }

    /// <summary>Gives up the oldest rows of a partition, a page; true when there may be more.</summary>
    private async Task<bool> GiveUpAsync(int partition, string error, CancellationToken cancellationToken)
    {
        var rows = await _outbox.ReadAsync(partition, _progress!.Read(partition), RowsMax, cancellationToken);
        var old = rows.TakeWhile(r => r.Age > _webhook.GiveUpAfter).ToList();
        var events = new List<WebhookEvent>();
        foreach (var (row, transition) in await _filter.ReadAsync(
            partition, _progress.Read(partition), old, cancellationToken))
        {
            if (transition is not null)
            {
                events.Add(WebhookEvent.Of(partition, row, _options.Source));
            }

            _progress.Pass(partition, row.Number);
        }

        await GiveUpAsync(events, error, cancellationToken);
        return old.Count == RowsMax;
    }

    private async Task GiveUpAsync(
        IReadOnlyCollection<WebhookEvent> events, string error, CancellationToken cancellationToken)
    {
        if (events.Count == 0)
        {
            return;
        }

        await NoteAsync(
            [.. events.Select(e => new WebhookDeadLetter(0, _webhook.Name, e.Id, e.Body, error))], cancellationToken);
        if (_progress is not null)
        {
            _counters.AddGivenUp(events.Count);
            WebhookLog.GivenUp(_logger, events.Count, _webhook.Name, error);
        }
    }

    private async Task NoteAsync(IReadOnlyCollection<WebhookDeadLetter> letters, CancellationToken cancellationToken)
    {
        if (_progress?.Changed() is not { } done || done.Count + letters.Count == 0)
        {
            return;
        }

        if (await _outbox.NoteAsync(_webhook.Name, _token, done, letters, cancellationToken))
        {
            _progress.Noted(done);
        }
        else
        {
            _progress = null;
            WebhookLog.LeaseLost(_logger, _webhook.Name);
        }
    }

    private async Task ReleaseAsync()
    {
        using var limit = new CancellationTokenSource(ReleaseWithin, _time);
        try
        {
            await _outbox.ReleaseLeaseAsync(_webhook.Name, _token, limit.Token);
        }
        catch (Exception e) when (e is StoreException or OperationCanceledException)
        {
            // It runs out.
        }
    }
}
