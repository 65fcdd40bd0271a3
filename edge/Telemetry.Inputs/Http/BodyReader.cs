using System.IO.Compression;
using Microsoft.AspNetCore.Http;

namespace Telemetry.Inputs.Http;

/// <summary>
/// Reads a request's body to its end, inflates it where it says gzip, and gives up at the first limit: bytes (before
/// and after inflating), bytes of all bodies together, time. Any thread.
/// </summary>
internal sealed class BodyReader(HttpInputOptions options, HttpCounters counters, TimeProvider time)
{
    private static readonly TimeSpan BudgetRetry = TimeSpan.FromSeconds(1);

    private readonly BodyBudget _budget = new(options.BodiesBytesMax);

    /// <summary>
    /// Reads the body, which the caller disposes. The body is null on an error; the answer says which.
    /// </summary>
    public async Task<(RequestBody? Body, WriteAnswer Problem)> ReadAsync(
        HttpRequest request, CancellationToken aborted)
    {
        var encoding = request.Headers.ContentEncoding.ToString();
        var gzip = encoding.Equals("gzip", StringComparison.OrdinalIgnoreCase);
        if (!gzip && encoding.Length > 0 && !encoding.Equals("identity", StringComparison.OrdinalIgnoreCase))
        {
            return (null, new WriteAnswer(415, "the Content-Encoding is not supported; use gzip or identity"));
        }

        if (request.ContentLength > options.BodyBytesMax)
        {
            return (null, TooLarge);
        }

        using var timeout = new CancellationTokenSource(options.BodyTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, aborted);
        var body = new RequestBody(_budget);
        var problem = await FillAsync(body, request.Body, gzip, timeout.Token, either.Token);
        if (problem is not { } answer)
        {
            return (body, default);
        }

        body.Dispose();
        return (null, answer);
    }

    private WriteAnswer TooLarge =>
        new(413, $"the body has more than {options.BodyBytesMax} bytes (http.bodyBytesMax): send smaller batches");

    private async Task<WriteAnswer?> FillAsync(
        RequestBody body, Stream source, bool gzip, CancellationToken timeout, CancellationToken either)
    {
        try
        {
            var tail = gzip ? new GzipTrailerStream(source) : null;
            await using var inflated = tail is null
                ? null : new GZipStream(tail, CompressionMode.Decompress, leaveOpen: true);
            while (true)
            {
                // One byte more than allowed, to see that there is more.
                if (!body.TryMakeRoom(options.BodyBytesMax + 1))
                {
                    return new WriteAnswer(
                        429, "too many bytes in all bodies that are being received (http.bodiesBytesMax)", BudgetRetry);
                }

                var read = await (inflated ?? source).ReadAsync(body.Free, either);
                body.Advance(read);
                if (body.Length > options.BodyBytesMax)
                {
                    return TooLarge;
                }

                if (read == 0)
                {
                    return tail is null || await tail.EndsAsync(body.Written, either)
                        ? null
                        : new WriteAnswer(400, "the gzip body is cut off, or has more than one member");
                }
            }
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested)
        {
            return new WriteAnswer(408, $"the body did not arrive within {options.BodyTimeout} (http.bodyTimeout)");
        }
        catch (InvalidDataException e)
        {
            return new WriteAnswer(400, $"the body is not valid gzip: {e.Message}");
        }
        catch (BadHttpRequestException e) when (e.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            return TooLarge;
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // Kestrel's own exceptions for a broken body are IOExceptions too.
            counters.BodyCut();
            return new WriteAnswer(400, "the body ended before its end");
        }
    }
}
