using System.Text.Json;
using Microsoft.Extensions.Logging;
using Telemetry.Storage.Alerts;

namespace Telemetry.Alerting.Webhooks;

/// <summary>Says which rows of the alert outbox a webhook sends.</summary>
internal sealed class WebhookFilter(
    Webhook webhook, IWebhookOutbox outbox, WebhookCounters counters, ILogger logger)
{
    /// <summary>The rows after a number; those that are not sent come without their transition.</summary>
    public async Task<IReadOnlyList<(WebhookRow Row, AlertTransition? Transition)>> ReadAsync(
        int partition, long after, IReadOnlyList<WebhookRow> rows, CancellationToken cancellationToken)
    {
        var found = new List<(WebhookRow Row, AlertTransition? Transition)>();
        var next = after + 1;
        foreach (var row in rows)
        {
            if (row.Number > next)
            {
                counters.AddGone(row.Number - next);
                WebhookLog.Gone(logger, next, row.Number - 1, partition, webhook.Name);
            }

            next = row.Number + 1;
            found.Add((row, Read(row)));
        }

        var sites = webhook.Match.AsksForSite
            ? await outbox.SitesAsync(
                [.. found.Where(f => f.Transition is not null)
                    .Select(f => (f.Transition!.Gateway, f.Transition.Device)).Distinct()],
                cancellationToken)
            : new Dictionary<(string, string), string>();
        return [.. found.Select(f => f.Transition is { } t
            && webhook.Match.Fits(t, sites.GetValueOrDefault((t.Gateway, t.Device), "")) ? f : (f.Row, null))];
    }

    private AlertTransition? Read(WebhookRow row)
    {
        try
        {
            return AlertTransition.FromJson(row.Json.Span);
        }
        catch (JsonException)
        {
            counters.AddUnreadable();
            return null;
        }
    }
}
