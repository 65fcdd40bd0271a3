using System.Diagnostics.Metrics;
using Telemetry.Diagnostics.Metrics;

namespace Telemetry.Ingress.Sessions;

/// <summary>What is connected to an ingress now, and what its listener counted, as instruments.</summary>
public static class SessionMetrics
{
    /// <summary>Makes the instruments; docs/reference/metrics.md lists them.</summary>
    public static void Publish(Meter meter, MqttIngress ingress, TimeProvider time)
    {
        meter.Gauge(
            "telemetry.mqtt.connections", "Connections now, those not yet let in included", () => ingress.Connections);
        meter.Gauge(
            "telemetry.ingress.password.checks.waiting", "Passwords that wait to be checked",
            () => ingress.Passwords?.Waiting ?? 0);
        meter.Gauge(
            "telemetry.ingress.password.senders", "Senders whose wrong passwords are remembered",
            () => ingress.Passwords?.Senders ?? 0);
        meter.CreateObservableGauge(
            "telemetry.ingress.certificate.left",
            () => ingress.CertificateEnd is { } end
                ? [new Measurement<long>((long)(end - time.GetUtcNow()).TotalSeconds)]
                : Array.Empty<Measurement<long>>(),
            "s", "For how long the certificate is still valid; no value without TLS");
        ingress.ListenerCounters.Publish(meter);
    }
}
