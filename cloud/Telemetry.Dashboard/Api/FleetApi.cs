using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Telemetry.Dashboard.Access;
using Telemetry.Dashboard.Live;

namespace Telemetry.Dashboard.Api;

/// <summary>The live fleet: answered from memory, never from the database.</summary>
internal sealed class FleetApi(
    FleetModel model, FleetFeed feed, EventStream events, Visitors visitors, DashboardOptions options,
    TimeProvider time)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(5);

    private const int LimitMax = 500, GroupsMax = 200;

    private static readonly Dictionary<string, FleetSort> Sorts = new(StringComparer.Ordinal)
    {
        ["worst"] = FleetSort.Worst,
        ["name"] = FleetSort.Name,
        ["since"] = FleetSort.Since,
        ["atRisk"] = FleetSort.AtRisk,
        ["watermark"] = FleetSort.Watermark,
        ["alerts"] = FleetSort.Alerts,
        ["clock"] = FleetSort.Clock,
        ["version"] = FleetSort.Version,
        ["site"] = FleetSort.Site,
    };

    private static readonly Dictionary<string, bool> Orders = new(StringComparer.Ordinal)
    {
        ["asc"] = false,
        ["desc"] = true,
    };

    private static readonly Dictionary<string, GatewayState> States = GatewayStates.Names
        .Select((name, i) => (name, i)).ToDictionary(s => s.name, s => (GatewayState)s.i);

    // A model that was made anew counts from the beginning.
    private readonly string _run = time.GetUtcNow().Ticks.ToString("x", null);

    /// <summary>A part of the fleet in an order.</summary>
    public async Task ListAsync(HttpContext context)
    {
        var values = new RequestValues(context.Request);
        var filter = new FleetFilter
        {
            Sort = values.Choice("sort", FleetSort.Worst, Sorts),
            Descending = values.Choice("order", false, Orders),
            Search = values.Text("search") ?? "",
            States = values.Choices("state", States),
            Site = values.Text("site"),
            Label = values.Text("label"),
            Sites = Visitor.Of(context).Limit,
            Offset = values.Number("offset", 0, 0, int.MaxValue),
            Limit = values.Number("limit", 100, 1, LimitMax),
        };
        values.End();
        if (values.Problem is { } problem)
        {
            await Problem.AnswerAsync(context, StatusCodes.Status400BadRequest, "Not a valid question", problem);
            return;
        }

        var page = model.Find(filter);
        context.Response.Headers.CacheControl = "private, no-cache";
        var tag = $"{_run}-{page.Version}-{feed.Health.What}-{Visitor.Of(context).LimitTag}";
        if (EntityTags.AnswerUnchanged(context, $"W/\"{tag}\""))
        {
            return;
        }

        await WriteAsync(context, json =>
        {
            EventStream.WriteHead(json, page.Version, page.Summary, feed.Health, time);
            json.WriteNumber("matched", page.Matched);
            json.WriteNumber("offset", filter.Offset);
            json.WriteStartArray("rows");
            foreach (var row in page.Rows)
            {
                row.Write(json);
            }

            json.WriteEndArray();
        });
    }

    /// <summary>The sites and labels by which the fleet can be asked for.</summary>
    public Task GroupsAsync(HttpContext context) => WriteAsync(context, json =>
    {
        var (sites, labels) = model.Groups(GroupsMax, Visitor.Of(context).Limit);
        Write("sites", sites);
        Write("labels", labels);

        void Write(string name, IReadOnlyList<string> texts)
        {
            json.WriteStartArray(name);
            foreach (var text in texts)
            {
                json.WriteStringValue(text);
            }

            json.WriteEndArray();
        }
    });

    /// <summary>The events of the live fleet, until the page is closed.</summary>
    public async Task EventsAsync(HttpContext context)
    {
        var visitor = Visitor.Of(context);
        using var viewer = events.Open(options.ViewersMax, visitor.Limit);
        if (viewer is null)
        {
            context.Response.Headers.RetryAfter = "30";
            await Problem.AnswerAsync(
                context, StatusCodes.Status503ServiceUnavailable, "Too many pages are open",
                $"{options.ViewersMax} pages have the live events; this one is shown without them");
            return;
        }

        context.Response.ContentType = "text/event-stream";
        context.Response.Headers.CacheControl = "no-store";
        try
        {
            await context.Response.Body.WriteAsync("retry: 2000\n\n"u8.ToArray(), context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
            var looked = time.GetTimestamp();
            await foreach (var bytes in viewer.Events.ReadAllAsync(context.RequestAborted))
            {
                if (time.GetElapsedTime(looked) >= LookEvery)
                {
                    looked = time.GetTimestamp();
                    if (!await visitors.IsStillAsync(visitor, context.Request))
                    {
                        return;
                    }
                }

                await context.Response.Body.WriteAsync(bytes, context.RequestAborted);
                if (!viewer.Events.TryPeek(out _))
                {
                    await context.Response.Body.FlushAsync(context.RequestAborted);
                }
            }
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The page was closed.
        }
    }

    private static async Task WriteAsync(HttpContext context, Action<Utf8JsonWriter> write)
    {
        context.Response.ContentType = "application/json";
        await using var json = new Utf8JsonWriter(context.Response.BodyWriter);
        json.WriteStartObject();
        write(json);
        json.WriteEndObject();
        await json.FlushAsync(context.RequestAborted);
    }
}
