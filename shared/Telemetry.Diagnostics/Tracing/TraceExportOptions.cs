using System.Globalization;

namespace Telemetry.Diagnostics.Tracing;

/// <summary>How spans travel to a collector (OTLP 1.x).</summary>
public enum TraceProtocol
{
    /// <summary>Protobuf in HTTP POSTs, port 4318 as a rule.</summary>
    HttpProtobuf,

    /// <summary>gRPC, port 4317 as a rule.</summary>
    Grpc,
}

/// <summary>Where the spans of a process go, which of them, and how many may wait.</summary>
public sealed record TraceExportOptions
{
    /// <summary>The most spans that may wait, whatever is asked for.</summary>
    public const int WaitingSpansMaxMax = 65_536;

    /// <summary>The word for <see cref="TraceProtocol.HttpProtobuf"/>.</summary>
    public const string HttpWord = "http/protobuf";

    /// <summary>The word for <see cref="TraceProtocol.Grpc"/>.</summary>
    public const string GrpcWord = "grpc";

    /// <summary>
    /// The collector: <c>http://host:4318</c>; its path, where it has none, becomes <c>/v1/traces</c> for
    /// <see cref="TraceProtocol.HttpProtobuf"/>. Null (default): no traces.
    /// </summary>
    public Uri? Endpoint { get; init; }

    /// <summary>
    /// Scheme, host and port of <see cref="Endpoint"/>, for logs: a user, a path or a query may hold what opens the
    /// collector. Empty without an endpoint.
    /// </summary>
    public string EndpointShown => Endpoint?.GetComponents(UriComponents.SchemeAndServer, UriFormat.UriEscaped) ?? "";

    /// <summary>How they travel; default HTTP.</summary>
    public TraceProtocol Protocol { get; init; } = TraceProtocol.HttpProtobuf;

    /// <summary>
    /// The share of frames that are traced, 0 to 1, default 1. The trace id alone decides, so all processes with the
    /// same ratio choose the same frames, and one with a smaller ratio a part of them.
    /// </summary>
    public double Ratio { get; init; } = 1;

    /// <summary>
    /// Spans that may wait for the collector, 2,048 (default) unless told; further ones are dropped and counted.
    /// </summary>
    public int WaitingSpansMax { get; init; } = 2048;

    /// <summary>How long spans gather before they are sent, default 2 s.</summary>
    public TimeSpan SendEvery { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long the collector may take for one batch, default 5 s; then its spans count as failed.</summary>
    public TimeSpan SendTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a stop waits for what is not sent yet, default 2 s.</summary>
    public TimeSpan StopTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Reads an endpoint: an absolute http or https address. False for anything else.</summary>
    public static bool TryEndpoint(string text, out Uri endpoint) =>
        Uri.TryCreate(text, UriKind.Absolute, out endpoint!)
        && endpoint.Scheme is "http" or "https" && endpoint.Host.Length > 0;

    /// <summary>Reads a ratio, 0 to 1 (<c>0.01</c>). False for anything else.</summary>
    public static bool TryRatio(string text, out double ratio) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out ratio)
        && ratio is >= 0 and <= 1;
}
