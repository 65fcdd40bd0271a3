using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Telemetry.Diagnostics.Tracing;

/// <summary>
/// Sends the spans of one source to a collector by OTLP for as long as it lives. The OpenTelemetry assemblies are
/// loaded when it is made, not before. Headers for the collector come from the environment
/// (OTEL_EXPORTER_OTLP_HEADERS), further attributes of the process too (OTEL_RESOURCE_ATTRIBUTES).
/// </summary>
public sealed class TraceExport : IDisposable
{
    private readonly TracerProvider _provider;
    private readonly TimeSpan _stopTimeout;

    private TraceExport(TracerProvider provider, TraceExportCounters counters, TimeSpan stopTimeout)
    {
        _provider = provider;
        Counters = counters;
        _stopTimeout = stopTimeout;
    }

    /// <summary>What became of the spans.</summary>
    public TraceExportCounters Counters { get; }

    /// <summary>
    /// Begins; null without an endpoint. <paramref name="service"/> and <paramref name="instance"/> name the process in
    /// the resource: <c>service.name</c>, <c>service.instance.id</c>. <paramref name="changed"/> is called, by the
    /// exporting thread, when the collector does not take spans any more, and when it does again.
    /// </summary>
    public static TraceExport? Start(
        TraceExportOptions options, string source, string service, string instance,
        Action<CollectorChange>? changed = null) =>
        options.Endpoint is null ? null : Begin(options, source, service, instance, changed);

    /// <summary>
    /// Sends what waits, for as long as <see cref="TraceExportOptions.StopTimeout"/> allows, and ends.
    /// </summary>
    public void Dispose()
    {
        _provider.Shutdown((int)_stopTimeout.TotalMilliseconds);
        _provider.Dispose();
    }

    private static TraceExport Begin(
        TraceExportOptions options, string source, string service, string instance, Action<CollectorChange>? changed)
    {
        var counters = new TraceExportCounters();
        var exporter = new CountedExporter(
            new OtlpExporterOptions
            {
                Endpoint = Address(options),
                Protocol = options.Protocol == TraceProtocol.Grpc
                    ? OtlpExportProtocol.Grpc : OtlpExportProtocol.HttpProtobuf,
                TimeoutMilliseconds = (int)options.SendTimeout.TotalMilliseconds,
            },
            counters,
            new CollectorReach(changed ?? (_ => { }), TimeProvider.System));
        var provider = Sdk.CreateTracerProviderBuilder()
            .AddSource(source)
            .SetSampler(new TraceIdRatioBasedSampler(options.Ratio))
            .ConfigureResource(resource => resource.AddService(service, serviceInstanceId: instance))
            .AddProcessor(new BoundedExport(exporter, options, counters))
            .Build();
        return new TraceExport(provider, counters, options.StopTimeout);
    }

    private static Uri Address(TraceExportOptions options) =>
        options.Protocol == TraceProtocol.HttpProtobuf && options.Endpoint!.AbsolutePath == "/"
            ? new Uri(options.Endpoint, "/v1/traces")
            : options.Endpoint!;
}
