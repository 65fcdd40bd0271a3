using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Telemetry.Dashboard.Access;
using Telemetry.Dashboard.Api;
using Telemetry.Dashboard.Pages;
using Telemetry.Storage;
using Telemetry.Storage.Access;

namespace Telemetry.Dashboard;

/// <summary>
/// Stands before everything else: who asks is known, may do what is asked, and asks from a page of the dashboard or
/// with a token.
/// </summary>
internal sealed class RequestGuard(Visitors visitors)
{
    private const string Login = "/login", LoginApiPath = "/api/login", LogoutPath = "/api/logout";

    public async Task RunAsync(HttpContext context, RequestDelegate next)
    {
        SecurityHeaders.AddTo(context.Response);
        Visitor? visitor;
        try
        {
            visitor = await visitors.FindAsync(context.Request, context.RequestAborted);
        }
        catch (StoreException) when (NeedsNobody(context.Request))
        {
            visitor = null;
        }
        catch (StoreException)
        {
            context.Response.Headers.RetryAfter = "5";
            await Problem.AnswerAsync(
                context, StatusCodes.Status503ServiceUnavailable, "The database did not answer",
                "it cannot be found out who asks");
            return;
        }

        if (visitor is { Name: Visitors.OpenName } && !LoopbackHosts.Allows(context.Request))
        {
            await Problem.AnswerAsync(
                context, StatusCodes.Status421MisdirectedRequest, "Not this host",
                "without users the dashboard answers only to localhost, 127.0.0.1 and [::1]");
        }
        else if (visitor is not null)
        {
            visitor.Enter(context);
            await RunAsync(context, next, visitor);
        }
        else if (await visitors.NeedsUserAsync(context.Request, context.RequestAborted))
        {
            await Problem.AnswerAsync(
                context, StatusCodes.Status401Unauthorized, "There are no users",
                "through a proxy the dashboard answers only to users; add one with \"telemetry user add\"");
        }
        else if (NeedsNobody(context.Request))
        {
            await next(context);
        }
        else if (context.Request.Path.StartsWithSegments("/api", StringComparison.Ordinal)
            || !HttpMethods.IsGet(context.Request.Method))
        {
            await Problem.AnswerAsync(
                context, StatusCodes.Status401Unauthorized, "Not logged in", "log in, or send a token as bearer");
        }
        else
        {
            var asked = context.Request.Path + context.Request.QueryString;
            context.Response.Headers.CacheControl = "no-store";
            context.Response.Redirect($"{Login}?next={Uri.EscapeDataString(asked)}");
        }
    }

    private static async Task RunAsync(HttpContext context, RequestDelegate next, Visitor visitor)
    {
        var request = context.Request;
        if (HttpMethods.IsGet(request.Method) || request.Path == LoginApiPath)
        {
            await next(context);
        }
        else if (visitor.Role < UserRole.Operator && request.Path != LogoutPath)
        {
            await Problem.AnswerAsync(
                context, StatusCodes.Status403Forbidden, "Not allowed", "a viewer may look, and change nothing");
        }
        else if (visitor.Antiforgery is { } expected && !IsSame(expected, request.Headers[LoginApi.AntiforgeryHeader]))
        {
            await Problem.AnswerAsync(
                context, StatusCodes.Status400BadRequest, "Not from a page of the dashboard",
                $"the header {LoginApi.AntiforgeryHeader} is missing or not this session's; /api/session has it");
        }
        else
        {
            await next(context);
        }
    }

    // What the login page is made of. Nothing of it tells anything of the fleet.
    private static bool NeedsNobody(HttpRequest request) =>
        request.Path == Login || request.Path == LoginApiPath
        || (HttpMethods.IsGet(request.Method) && request.Path.StartsWithSegments("/assets", StringComparison.Ordinal));

    private static bool IsSame(string expected, string? given) => given is not null
        && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(expected), Encoding.UTF8.GetBytes(given));
}
