using System.CommandLine;
using Telemetry.Model.Identity;

namespace Telemetry.Cloud.Commands;

/// <summary>The argument <c>GATEWAY</c>: an id.</summary>
internal static class GatewayArgument
{
    public static Argument<GatewayId> Create() => new("GATEWAY")
    {
        Description = "The gateway's id.",
        Arity = ArgumentArity.ExactlyOne,
        CustomParser = result =>
        {
            var text = result.Tokens[0].Value;
            if (!GatewayId.TryParse(text, out var gateway))
            {
                result.AddError(
                    $"'{text}' cannot be a gateway's id: 1 to {GatewayId.LengthMax} characters of A-Z a-z 0-9 _ -");
            }

            return gateway;
        },
    };
}
