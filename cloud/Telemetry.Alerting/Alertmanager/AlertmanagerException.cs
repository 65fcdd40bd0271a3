namespace Telemetry.Alerting.Alertmanager;

/// <summary>An Alertmanager did not take a request.</summary>
/// <param name="message">Why.</param>
/// <param name="isRefused">True when it does not like what the request says: the next one may be liked.</param>
public sealed class AlertmanagerException(string message, bool isRefused) : Exception(message)
{
    public bool IsRefused => isRefused;
}
