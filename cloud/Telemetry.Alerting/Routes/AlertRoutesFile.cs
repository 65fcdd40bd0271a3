using System.Text.Json;
using Telemetry.Runtime.Settings;

namespace Telemetry.Alerting.Routes;

/// <summary>
/// Reads a routes file: JSON, in which comments are allowed; deploy/routes.json shows every key. All problems are
/// reported at once; each names the file, the route and the key, and says what to use. A file with one wrong route
/// gives no routes at all.
/// </summary>
public static class AlertRoutesFile
{
    /// <summary>The most routes of a file.</summary>
    public const int RoutesMax = 256;

    /// <summary>The most topics of a route.</summary>
    public const int TopicsMax = 16;

    /// <summary>Reads a file; null when there are problems.</summary>
    public static AlertRoutes? Read(string path, out IReadOnlyList<string> problems) =>
        JsonFile.Read(path, Read, out problems);

    /// <summary>Reads the bytes of a file called <paramref name="name"/>; null when there are problems.</summary>
    public static AlertRoutes? Parse(string name, ReadOnlyMemory<byte> json, out IReadOnlyList<string> problems) =>
        JsonFile.Parse(name, json, Read, out problems);

    private static AlertRoutes Read(JsonElement root, string name, List<string> problems)
    {
        var file = new JsonKeys(root, name, problems);
        var elements = file.List("routes");
        file.End();
        if (elements.Count > RoutesMax)
        {
            problems.Add($"{name}: routes: has {elements.Count} routes; use at most {RoutesMax}");
            return AlertRoutes.None;
        }

        var routes = new List<AlertRoute>();
        for (var i = 0; i < elements.Count; i++)
        {
            var keys = new JsonKeys(elements[i], $"{name}: route {i + 1}", problems);
            var route = Route(keys);
            keys.End();
            if (routes.FindIndex(r => r.Name == route.Name) is >= 0 and var same)
            {
                keys.Problem(
                    "name",
                    $"'{JsonKeys.Shown(route.Name)}' is already the name of route {same + 1}; use each name once");
            }

            routes.Add(route);
        }

        return new AlertRoutes(routes);
    }

    private static AlertRoute Route(JsonKeys keys)
    {
        var route = new AlertRoute
        {
            Name = keys.Text("name") ?? "",
            Topics = Topics(keys),
            Form = Form(keys),
            Continue = keys.Flag("continue"),
            Match = keys.Has("match") ? TransitionMatchKeys.Read(keys.Child("match")) : new TransitionMatch(),
        };
        if (route.Name.Length is 0 or > 64)
        {
            keys.Problem("name", "is missing or too long; use 1 to 64 characters");
        }

        return route;
    }

    private static List<string> Topics(JsonKeys keys)
    {
        var topics = TransitionMatchKeys.Texts(keys, "topics");
        if (topics.Count is 0 or > TopicsMax)
        {
            keys.Problem("topics", $"has {topics.Count} topics; use 1 to {TopicsMax}");
        }

        foreach (var topic in topics.Where(t => !TopicName.IsAllowed(t)))
        {
            keys.Problem("topics", $"'{JsonKeys.Shown(topic)}' is not allowed; use {TopicName.Rule}");
        }

        return topics;
    }

    private static AlertForm Form(JsonKeys keys)
    {
        switch (keys.Text("form") ?? "full")
        {
            case "full":
                return AlertForm.Full;
            case "thin":
                return AlertForm.Thin;
            default:
                keys.Problem("form", "is not allowed; use full or thin");
                return AlertForm.Full;
        }
    }
}
