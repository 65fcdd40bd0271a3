namespace Telemetry.Inputs.Http;

/// <summary>What a sender is told, whichever version of the API it speaks.</summary>
/// <param name="Status">HTTP status code.</param>
/// <param name="Message">What is wrong; empty for 204.</param>
/// <param name="RetryAfter">When to try again; null: not at all, or at once.</param>
internal readonly record struct WriteAnswer(int Status, string Message, TimeSpan? RetryAfter = null)
{
    /// <summary>Everything is stored.</summary>
    public static readonly WriteAnswer Stored = new(204, "");

    /// <summary>
    /// The outbox is opened again, or closes. Without a time: a client that takes the seconds for milliseconds would
    /// drop its lines by then.
    /// </summary>
    public static readonly WriteAnswer Unavailable = new(503, "the outbox is not open at this moment");
}
