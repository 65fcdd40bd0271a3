namespace Telemetry.Agent.Status;

/// <summary>What a <see cref="StatusListener"/> answers.</summary>
/// <param name="Status">HTTP status code.</param>
/// <param name="ContentType">Media type of the body.</param>
/// <param name="Body">UTF-8.</param>
public readonly record struct HttpAnswer(int Status, string ContentType, ReadOnlyMemory<byte> Body)
{
    /// <summary>Nothing is there.</summary>
    public static readonly HttpAnswer NotFound = Text(404, "not found\n");

    /// <summary>Plain text.</summary>
    public static HttpAnswer Text(int status, string text) =>
        new(status, "text/plain; charset=utf-8", System.Text.Encoding.UTF8.GetBytes(text));
}
