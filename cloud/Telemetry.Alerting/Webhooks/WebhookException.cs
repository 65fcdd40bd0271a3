namespace Telemetry.Alerting.Webhooks;

/// <summary>A receiver did not take an event.</summary>
/// <param name="message">Why.</param>
/// <param name="retryAfter">How long it asks to be left alone; null where it says nothing.</param>
public sealed class WebhookException(string message, TimeSpan? retryAfter) : Exception(message)
{
    public TimeSpan? RetryAfter => retryAfter;
}
