using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Microsoft.Extensions.Logging;
using Telemetry.Alerting.Relay;
using Telemetry.Diagnostics.Failures;
using Telemetry.Storage;
using Telemetry.Storage.Alerts;

namespace Telemetry.Alerting.Alertmanager;

/// <summary>
/// Tells one Alertmanager of the alerts in the history: all of them every minute, and what changed as soon as it is
/// seen. It keeps no state: several processes may do it at once, and what was missed is in the next request. One loop.
/// </summary>
public sealed class AlertmanagerSender(
    HttpClient http, Uri server, IRaisedAlerts alerts, AlertmanagerOptions options, AlertmanagerCounters counters,
    TimeProvider time, Random random, ILogger logger, ReportedFailure? database = null)
{
    // Rows have the time at which their transaction began; one that takes longer is in the next full request.
    private static readonly TimeSpan ChangeMargin = TimeSpan.FromSeconds(30);

    // Alerts in memory at once. The database sorts all of them for each page.
    private const int PageMax = 5000;

    private const int ReasonMax = 200;

    private readonly Uri _address = new(server.AbsoluteUri.TrimEnd('/') + "/api/v2/alerts");
    private readonly RelayBackoff _backoff = new(options.RetryAfter, options.ResendEvery, random);
    private readonly ReportedFailure _server = new(
        $"Alertmanager {server.Authority} cannot be used", $"Alertmanager {server.Authority} is used again", time,
        logger);

    private readonly ReportedFailure _history = new(
        "The alerts cannot be read", "The alerts are read again", time, logger, database);

    private long _transitions = -1;
    private long? _allSent;
    private long _looked;

    /// <summary>What keeps this Alertmanager from being told; null when nothing does.</summary>
    public string? Problem =>
        _server.Problem is { } problem ? $"{server.Authority}: {problem}" : _history.Problem;

    /// <summary>Runs until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                await Task.Delay(await TurnAsync(cancellationToken), time, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Asked to stop.
        }
    }

    private async Task<TimeSpan> TurnAsync(CancellationToken cancellationToken)
    {
        try
        {
            var now = time.GetTimestamp();
            var transitions = await alerts.CountTransitionsAsync(cancellationToken);
            if (_allSent is not { } sent || time.GetElapsedTime(sent, now) >= options.ResendEvery)
            {
                await SendAllAsync(cancellationToken);
                _allSent = now;
            }
            else if (transitions != _transitions)
            {
                await SendAsync(time.GetElapsedTime(_looked, now) + ChangeMargin, true, cancellationToken);
            }

            (_transitions, _looked) = (transitions, now);
            _history.Worked();
            _server.Worked();
            _backoff.Reset();
            return options.PollEvery;
        }
        catch (StoreException e)
        {
            _history.Failed(e.Message);
        }
        catch (AlertmanagerException e)
        {
            _history.Worked();
            _server.Failed(e.Message);
        }

        _allSent = null;
        return _backoff.Next();
    }

    private async Task SendAllAsync(CancellationToken cancellationToken)
    {
        counters.Open = await SendAsync(options.ResolvedFor, false, cancellationToken);
        var outages = await alerts.SummariesAsync(options.SummaryFor, options.SummaryPatience, cancellationToken);
        var now = time.GetUtcNow();
        foreach (var batch in outages.Chunk(options.BatchMax))
        {
            await PostAsync([.. batch.Select(o => AlertmanagerAlert.Of(o, options, now))], cancellationToken);
        }
    }

    /// <summary>
    /// Sends batch by batch, and returns how many are open. One that is refused must not keep those after it from being
    /// sent: Alertmanager refuses a whole request for one alert, and takes the others of it.
    /// </summary>
    private async Task<int> SendAsync(TimeSpan within, bool changedOnly, CancellationToken cancellationToken)
    {
        var (after, open) = (RaisedAlertKey.None, 0);
        AlertmanagerException? refused = null;
        while (true)
        {
            var page = await alerts.ReadAsync(within, changedOnly, after, PageMax, cancellationToken);
            foreach (var batch in page.Chunk(options.BatchMax))
            {
                try
                {
                    var now = time.GetUtcNow();
                    await PostAsync([.. batch.Select(a => AlertmanagerAlert.Of(a, options, now))], cancellationToken);
                }
                catch (AlertmanagerException e) when (e.IsRefused)
                {
                    refused = e;
                }
            }

            open += page.Count(a => a.State == AlertInstanceState.Firing);
            if (page.Count < PageMax)
            {
                return refused is null ? open : throw refused;
            }

            after = page[^1].Key;
        }
    }

    private async Task PostAsync(IReadOnlyList<AlertmanagerAlert> batch, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, _address)
        {
            Content = new ReadOnlyMemoryContent(AlertmanagerAlert.ToJson(batch))
            {
                Headers = { ContentType = new MediaTypeHeaderValue("application/json") },
            },
        };
        request.Headers.Authorization = options.Authorization;
        using var limit = new CancellationTokenSource(options.Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            using var response = await http.SendAsync(
                request, HttpCompletionOption.ResponseHeadersRead, either.Token);
            if (!response.IsSuccessStatusCode)
            {
                throw new AlertmanagerException(
                    $"{(int)response.StatusCode} {await ReasonAsync(response, either.Token)}".TrimEnd(),
                    response.StatusCode == HttpStatusCode.BadRequest);
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            counters.AddFailed();
            throw new AlertmanagerException($"no answer within {options.Timeout.TotalSeconds:0.#} s", false);
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            counters.AddFailed();
            throw new AlertmanagerException(e.Message, false);
        }
        catch (AlertmanagerException)
        {
            counters.AddFailed();
            throw;
        }

        counters.AddSent(batch.Count);
    }

    private static async Task<string> ReasonAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        var bytes = new byte[ReasonMax];
        var length = await body.ReadAtLeastAsync(bytes, ReasonMax, throwOnEndOfStream: false, cancellationToken);
        return string.Concat(Encoding.UTF8.GetString(bytes, 0, length).Select(c => char.IsControl(c) ? ' ' : c));
    }
}
