using System.CommandLine;
using Telemetry.Runtime.Settings;
using Telemetry.Storage.Access;

namespace Telemetry.Cloud.Commands.Users;

/// <summary>
/// The verbs <c>user list</c>, <c>add</c>, <c>remove</c>, <c>password</c>, <c>disable</c>, <c>enable</c> and
/// <c>token</c>.
/// </summary>
internal static class UserVerb
{
    private static readonly TimeSpan TokenDefault = TimeSpan.FromDays(365), TokenMax = TimeSpan.FromDays(3650);

    public static Command Create(VerbAction<UserArguments> run) =>
        new("user", "Who may look at the dashboard, and act there.")
        {
            List(run),
            Add(run),
            OfName("remove", "Removes a user; sessions and tokens end.", run),
            OfName("password", "Reads a new password as a line of standard input; the user's sessions end.", run),
            OfName("disable", "Lets a user in no longer; sessions and tokens end.", run),
            OfName("enable", "Lets a disabled user in again.", run),
            Token(run),
        };

    private static Command List(VerbAction<UserArguments> run)
    {
        var command = new Command("list", "Lists the users.");
        command.SetAction((result, cancel) => run(new UserArguments { Verb = command.Name }, result, cancel));
        return command;
    }

    private static Command Add(VerbAction<UserArguments> run)
    {
        var name = Name();
        var role = ParsedOption.Create<UserRole>(
            "--role", "R", "What the user may do: viewer (unless given), operator or admin.",
            static text => text switch
            {
                "viewer" => UserRole.Viewer,
                "operator" => UserRole.Operator,
                "admin" => UserRole.Admin,
                _ => null,
            },
            "viewer, operator or admin");
        var sites = new Option<string[]>("--site")
        {
            HelpName = "S",
            Description = "A site that the user may see; may be given several times. All sites unless given.",
        };
        sites.Validators.Add(result =>
        {
            if (result.Tokens.Any(token => string.IsNullOrWhiteSpace(token.Value)))
            {
                result.AddError("--site: is empty");
            }
        });
        var command = new Command("add", "Adds a user; reads the password as a line of standard input.")
        {
            name, role, sites,
        };
        command.SetAction((result, cancel) => run(
            new UserArguments
            {
                Verb = command.Name,
                Name = result.GetRequiredValue(name),
                Role = result.GetValue(role) ?? UserRole.Viewer,
                Sites = result.GetValue(sites) ?? [],
            },
            result, cancel));
        return command;
    }

    private static Command OfName(string verb, string description, VerbAction<UserArguments> run)
    {
        var name = Name();
        var command = new Command(verb, description) { name };
        command.SetAction((result, cancel) => run(
            new UserArguments { Verb = verb, Name = result.GetRequiredValue(name) }, result, cancel));
        return command;
    }

    private static Command Token(VerbAction<UserArguments> run)
    {
        var name = Name();
        var note = NoteOption.Create();
        var lasts = ParsedOption.Create<TimeSpan>(
            "--for", "T", "How long it holds; 365 d unless given.",
            static text => SettingUnits.Span(text) is { } span && span > TimeSpan.Zero && span <= TokenMax
                ? span : null,
            "a span up to 3650 d, such as 30 d");
        var command = new Command("token", "Prints a token of a user for a script, which sends it as bearer.")
        {
            name, note, lasts,
        };
        command.SetAction((result, cancel) => run(
            new UserArguments
            {
                Verb = command.Name,
                Name = result.GetRequiredValue(name),
                Note = result.GetRequiredValue(note),
                Lasts = result.GetValue(lasts) ?? TokenDefault,
            },
            result, cancel));
        return command;
    }

    private static Argument<string> Name()
    {
        var name = new Argument<string>("NAME") { Description = "The user's name." };
        name.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && !DashboardUser.IsName(result.Tokens[0].Value))
            {
                result.AddError($"NAME is not of 1 to {DashboardUser.NameMax} letters, digits and . _ - @");
            }
        });
        return name;
    }
}
