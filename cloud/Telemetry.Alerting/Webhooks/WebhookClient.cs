using System.Globalization;
using System.Net.Http.Headers;

namespace Telemetry.Alerting.Webhooks;

/// <summary>Posts signed events to the receiver of a webhook.</summary>
public sealed class WebhookClient(HttpClient http, Webhook webhook, TimeProvider time)
{
    /// <summary>Posts one event; throws <see cref="WebhookException"/> unless the answer is 2xx.</summary>
    public async Task PostAsync(WebhookEvent sent, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow().ToUnixTimeSeconds();
        using var request = new HttpRequestMessage(HttpMethod.Post, webhook.Url)
        {
            Content = new ReadOnlyMemoryContent(sent.Body)
            {
                Headers = { ContentType = new MediaTypeHeaderValue(WebhookEvent.MediaType, "utf-8") },
            },
        };
        request.Headers.Add(WebhookSignature.TimeHeader, now.ToString(CultureInfo.InvariantCulture));
        request.Headers.Add(WebhookSignature.Header, WebhookSignature.Of(webhook.Secrets, now, sent.Body.Span));
        using var limit = new CancellationTokenSource(webhook.Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            using var response = await http.SendAsync(
                request, HttpCompletionOption.ResponseHeadersRead, either.Token);
            if (!response.IsSuccessStatusCode)
            {
                throw new WebhookException(
                    $"answered {(int)response.StatusCode}",
                    response.Headers.RetryAfter is not { } after ? null
                        : after.Delta ?? after.Date - time.GetUtcNow());
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new WebhookException($"no answer within {webhook.Timeout.TotalSeconds:0.#} s", null);
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            throw new WebhookException(e.Message, null);
        }
    }
}
